"""Files written batch by batch, so that memory holds one batch and not the table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import BinaryIO, Literal, Protocol

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from ..quoting import quote_identifier
from . import values
from .relation import Column, Relation

Format = Literal["csv", "parquet", "jsonl", "xlsx"]
FORMATS: tuple[Format, ...] = ("csv", "parquet", "jsonl", "xlsx")

ROW_GROUP = 122_880
"""Rows of a Parquet row group: DuckDB's own, enough for it to skip and to share out the work."""
BATCH: Mapping[Format, int] = {"csv": 20_480, "jsonl": 20_480, "parquet": 61_440, "xlsx": 2_048}


class Writer(Protocol):
    """Something that rows are written to."""

    rows: int

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows."""

    def close(self) -> None:
        """Write what is still held. A file that was not closed is not whole."""


def select(
    relation: Relation, form: Format, partition_by: tuple[str, ...], *, is_safe: bool
) -> str:
    """The SQL that makes the rows as `form` has them; `_partition` is the folder, if there are any.

    Columns are c0, c1, …: a header may hold anything, and be what DuckDB takes for another's name.
    """
    order = f" order by {relation.order}" if relation.order else ""
    by_name = {column.name: column for column in relation.columns}
    folders = [by_name[name] for name in partition_by]
    written = [column for column in relation.columns if column.name not in partition_by]
    inner, columns = [], []
    for number, column in enumerate(written):
        inner.append(f"{quote_identifier(column.name)} as s{number}")
        columns.append(f"{_expression(column, f's{number}', form, is_safe=is_safe)} as c{number}")
    for number, column in enumerate(folders):
        inner.append(f"{quote_identifier(column.name)} as f{number}")
    if form == "csv" and len(columns) == 1:  # a line with nothing in it is no row to most readers
        columns = [f"coalesce(cast({columns[0].removesuffix(' as c0')} as varchar), '') as c0"]
    if form == "jsonl":
        columns = [f"{values.json_line(written, [f's{n}' for n in range(len(written))])} as c0"]
    if folders:
        place = values.partition(folders, [f"f{number}" for number in range(len(folders))])
        columns.append(f"{place} as _partition")
        keys = relation.order if relation.order and relation.order != "all" else ""
        inner.append(f"row_number() over ({f'order by {keys}' if keys else ''}) as _place")
        order = ""
    sql = (
        f"with source as (select * from {relation.source}{order}),\n"
        f"picked as (select {', '.join(inner)} from source)\n"
        f"select {', '.join(columns)} from picked"
    )
    return sql + (" order by _partition, _place" if folders else "")


def _expression(column: Column, source: str, form: Format, *, is_safe: bool) -> str:
    if form == "csv":
        return values.in_csv(column.type, source, is_safe=is_safe)
    if form == "xlsx":
        return values.in_xlsx(column.type, source)
    return values.in_parquet(column.type, source) if form == "parquet" else source


class CsvWriter:
    """RFC 4180 in UTF-8: text is quoted, numbers are not; nothing at all is NULL, `""` is empty."""

    def __init__(self, stream: BinaryIO, headers: list[str], schema: pa.Schema) -> None:
        self.rows = 0
        self._schema = pa.schema(
            [pa.field(name, field.type) for name, field in zip(headers, schema, strict=True)]
        )
        self._writer = pyarrow.csv.CSVWriter(stream, self._schema)

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows."""
        self._writer.write_batch(pa.RecordBatch.from_arrays(batch.columns, schema=self._schema))
        self.rows += batch.num_rows

    def close(self) -> None:
        """Write what is still held."""
        self._writer.close()


class JsonLinesWriter:
    """One JSON object a line, in UTF-8."""

    def __init__(self, stream: BinaryIO) -> None:
        self.rows = 0
        self._stream = stream

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows, which are lines already."""
        self._stream.write(("\n".join(batch.column(0).to_pylist()) + "\n").encode())
        self.rows += batch.num_rows

    def close(self) -> None:
        """Nothing is held."""
        self._stream.flush()


class ParquetWriter:
    """zstd, in row groups of `ROW_GROUP` rows, with what the rows are in the file's metadata."""

    def __init__(
        self,
        stream: BinaryIO,
        headers: list[str],
        schema: pa.Schema,
        about: Mapping[str, object],
    ) -> None:
        self.rows = 0
        self._held: list[pa.RecordBatch] = []
        self._held_rows = 0
        self._schema = pa.schema(
            [pa.field(name, field.type) for name, field in zip(headers, schema, strict=True)],
            metadata={"pipeduck": json.dumps(about, default=str)},
        )
        self._writer = pyarrow.parquet.ParquetWriter(stream, self._schema, compression="zstd")

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows."""
        self._held.append(pa.RecordBatch.from_arrays(batch.columns, schema=self._schema))
        self._held_rows += batch.num_rows
        self.rows += batch.num_rows
        if self._held_rows >= ROW_GROUP:
            self._flush()

    def close(self) -> None:
        """Write what is still held, and the footer."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._held:
            table = pa.Table.from_batches(self._held, schema=self._schema)
            self._writer.write_table(table, row_group_size=ROW_GROUP)
            self._held, self._held_rows = [], 0
