"""The files of one export while they are made: split into partitions, counted, hashed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute

from ..errors import ExportError, QueryError
from ..refusals import find_full_disk
from .manifest import Entry, File
from .relation import Column, Relation
from .values import without_formula
from .writers import CsvWriter, Format, JsonLinesWriter, ParquetWriter, Writer
from .xlsx import Workbook

MOST_PARTITIONS = 10_000
_SEPARATORS = re.compile(r"[/\\\0]")


@dataclass(frozen=True)
class Part:
    """A file that was made: `made` until it is moved to `name`, which is relative to the place."""

    made: Path
    name: str
    rows: int
    cut: int = 0

    def described(self) -> File:
        """What the manifest says of it. Of a workbook that is still open: without a hash."""
        if not self.made.is_file():
            return File(self.name, self.rows, 0, "")
        with self.made.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return File(self.name, self.rows, self.made.stat().st_size, digest)


class Files:
    """The files of an export of several tables. `file`: all go into the one of this name."""

    def __init__(self, folder: Path, form: Format, file: str | None, *, is_safe: bool) -> None:
        self._folder = folder
        self._form = form
        self._file = file
        self._is_safe = is_safe
        self._parts: list[Part] = []
        self._taken: set[str] = set()
        self._book: Workbook | None = None

    def write(
        self,
        relation: Relation,
        stem: str,
        rows: pa.RecordBatchReader,
        partition_by: tuple[str, ...],
        about: Mapping[str, object],
    ) -> list[Part]:
        """Write the rows of a relation; in folders where the last of its columns names one.

        Raises OSError, and QueryError for SQL that fails while it runs.
        """
        stem = _SEPARATORS.sub("_", stem)
        headers = [c.header for c in relation.columns if c.name not in partition_by]
        kinds = [c for c in relation.columns if c.name not in partition_by]
        schema = pa.schema(list(rows.schema)[: len(rows.schema) - bool(partition_by)])
        first = len(self._parts)
        open_part: _Open | None = None
        folder: str | None = None

        def begin(within: str | None) -> _Open:
            if len(self._parts) - first >= MOST_PARTITIONS:
                raise ExportError(
                    f"{relation.name} would be cut into more than {MOST_PARTITIONS:,} folders.",
                    "Name a column with fewer values with --partition-by.",
                )
            made = self._folder / f"{len(self._parts):06}"
            name = self._file or self._name(relation.name, within, stem)
            if self._form == "xlsx":
                return self._sheet(made, name, relation.name, kinds)
            return self._open(made, name, headers, schema, about)

        try:
            for batch in told_batches(rows):
                for within, piece in _pieces(batch, is_split=bool(partition_by)):
                    if open_part is None or within != folder:
                        if open_part:
                            self._parts.append(open_part.close())
                        open_part, folder = begin(within), within
                    open_part.writer.write(piece)
            if open_part is None and not partition_by:
                open_part = begin(None)
            if open_part:
                self._parts.append(open_part.close())
                open_part = None
        finally:
            if open_part:
                open_part.abandon()
        return self._parts[first:]

    def close(self, entries: list[Entry]) -> list[Entry]:
        """Close what several tables share; the entries with the size and hash of that."""
        if self._book is None:
            return entries
        self._book.close()
        whole = self._parts[0].described()
        return [
            replace(
                entry,
                files=[replace(whole, rows=file.rows) for file in entry.files],
            )
            for entry in entries
        ]

    def abandon(self) -> None:
        """Let go of what is open: the files are not wanted."""
        if self._book:
            self._book.abandon()

    def made(self) -> Iterator[tuple[Path, str]]:
        """Each file with the name it is to have."""
        yield from dict.fromkeys((part.made, part.name) for part in self._parts)

    def _name(self, table: str, within: str | None, stem: str) -> str:
        """A name nobody has, also where letters of either case are the same."""
        folder = f"{_SEPARATORS.sub('_', table)}/{within}/" if within else ""
        name, number = f"{folder}{stem}.{self._form}", 1
        while name.casefold() in self._taken:
            number += 1
            name = f"{folder}{stem}-{number}.{self._form}"
        self._taken.add(name.casefold())
        return name

    def _open(
        self,
        made: Path,
        name: str,
        headers: list[str],
        schema: pa.Schema,
        about: Mapping[str, object],
    ) -> _Open:
        stream = made.open("wb")
        try:
            if self._form == "parquet":
                writer: Writer = ParquetWriter(stream, headers, schema, about)
            elif self._form == "csv":
                shown = [without_formula(h) for h in headers] if self._is_safe else headers
                writer = CsvWriter(stream, shown, schema)
            else:
                writer = JsonLinesWriter(stream)
        except BaseException:
            stream.close()
            raise
        return _Open(made, name, writer, stream)

    def _sheet(self, made: Path, name: str, table: str, columns: list[Column]) -> _Open:
        if self._file is None:
            book = Workbook(made, self._folder)
            return _Open(made, name, book.sheet(table, columns), book)
        if self._book is None:
            self._book = Workbook(made, self._folder)
        else:
            made = self._parts[0].made
        return _Open(made, name, self._book.sheet(table, columns), None)


@dataclass(frozen=True)
class _Open:
    """A file that is being written."""

    made: Path
    name: str
    writer: Writer
    stream: BinaryIO | Workbook | None

    def close(self) -> Part:
        self.writer.close()
        if self.stream:
            self.stream.close()
        return Part(self.made, self.name, self.writer.rows, getattr(self.writer, "cut", 0))

    def abandon(self) -> None:
        with suppress(Exception):  # what made it fail is worth more
            self.writer.close()
        if isinstance(self.stream, Workbook):
            self.stream.abandon()
        elif self.stream:
            with suppress(OSError):
                self.stream.close()


def told_batches(rows: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """The batches of running SQL. Raises DiskFull, and QueryError in DuckDB's own words."""
    while True:
        try:
            batch = rows.read_next_batch()
        except StopIteration:
            return
        except (OSError, pa.ArrowException) as error:
            if full := find_full_disk(error):
                raise full from error
            raise QueryError(
                str(error), "The export was given up; nothing was replaced."
            ) from error
        yield batch


def _pieces(
    batch: pa.RecordBatch, *, is_split: bool
) -> Iterator[tuple[str | None, pa.RecordBatch]]:
    """A batch, cut where its last column, which is left out, changes."""
    if not is_split:
        yield None, batch
        return
    last = batch.num_columns - 1
    runs = pyarrow.compute.run_end_encode(batch.column(last))
    rows = batch.select(list(range(last)))
    start = 0
    for folder, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
        yield folder, rows.slice(start, end - start)
        start = end
