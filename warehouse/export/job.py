"""One export from beginning to end: read, write beside, move, tell in the manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Literal

import duckdb

from ..connect import open_published
from ..errors import DiskFull, ExportError, QueryError
from ..refusals import find_full_disk
from .changes import Changes, State, since_last, since_time, write_state
from .files import Files, Part, told_batches
from .manifest import FILE, Described, Entry, Manifest
from .places import LocalPlace, Place, RemotePlace, is_address, local_path, staging, without_user
from .relation import Relation, find_query, find_table, missing, public_tables
from .values import without_formula
from .writers import BATCH, FORMATS, CsvWriter, Format, JsonLinesWriter, Writer, select

STDOUT = "-"


@dataclass(frozen=True)
class Wanted:
    """What to export. No `tables` and no `query`: every public table."""

    out: str
    """A folder, a file, an address of either, or `-`."""
    form: Format = "csv"
    tables: tuple[str, ...] = ()
    query: str | None = None
    columns: tuple[str, ...] = ()
    partition_by: tuple[str, ...] = ()
    since: datetime | Literal["last"] | None = None
    is_labelled: bool = False
    is_safe: bool = False
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The columns that tell the rows of a table apart; it is sorted by them."""
    times: tuple[str, ...] = ()
    """The columns that say when a row changed, for changes since a time."""


@dataclass(frozen=True)
class Target:
    """Where it goes: a place, and the file in it or None for one file a table."""

    place: Place
    file: str | None

    @classmethod
    def of(cls, wanted: Wanted) -> Target:
        """What `wanted.out` means. It is a file if it ends like one of the format's."""
        out, ending = wanted.out, f".{wanted.form}"
        _check_ending(out, wanted.form)
        if not is_address(out):
            path = local_path(out)
            if out.lower().endswith(ending) and not path.is_dir():
                return cls(LocalPlace(path.parent), path.name)
            return cls(LocalPlace(path), None)
        if out.lower().endswith(ending):
            folder, _, name = out.rpartition("/")
            return cls(RemotePlace(folder), name)
        return cls(RemotePlace(out), None)


def export(
    published: Path,
    wanted: Wanted,
    *,
    key: str = "",
    memory_limit: str = "",
    version: str = "",
    stdout: BinaryIO | None = None,
) -> list[Entry]:
    """Write what is `wanted` of the file `published`; returns what was written, a table each.

    With `-` as `out` the rows go to `stdout` as
    they come. Raises ExportError, QueryError, PlaceUnreachable, DiskFull, and what
    `open_published` raises; then everything is as it was, or, once files are being moved, each
    file is the old one or the new one.
    """
    try:
        with open_published(published, key=key, memory_limit=memory_limit) as connection:
            relations = _relations(connection, wanted)
            if wanted.out == STDOUT:
                assert stdout is not None
                return [_stream(connection, wanted, relations, stdout)]
            target = Target.of(wanted)
            _check_target(wanted, relations, target)
            base = target.place.stage(published.parent)
            with staging(base) as folder:
                job = _Job(connection, wanted, target, folder, published)
                try:
                    entries = job.finish([job.write(each) for each in relations], version)
                finally:
                    job.abandon()
    except duckdb.Error as error:
        if full := find_full_disk(error):
            raise full from error
        raise QueryError(str(error), "The export was given up; nothing was replaced.") from error
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _told(error, wanted) from error
    return entries


class _Job:
    """What the tables of one export share."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        wanted: Wanted,
        target: Target,
        folder: Path,
        published: Path,
    ) -> None:
        self._connection = connection
        self._wanted = wanted
        self._target = target
        self._folder = folder
        self._published = published
        self._time = datetime.now(UTC)
        self._run = _newest_run(connection)
        self._files = Files(folder, wanted.form, target.file, is_safe=wanted.is_safe)
        self._states: list[tuple[State, Path]] = []
        name = FILE if target.file is None else f"{target.file}.{FILE}"
        self._manifest = Manifest.read(target.place, name)

    def write(self, relation: Relation) -> Entry:
        """Write a relation to files beside; the entry for it, whose files have no hash yet."""
        wanted = self._wanted
        try:
            changes = self._changes(relation)
            picked = changes.relation if changes else relation
            if wanted.is_labelled:
                picked = picked.labelled(self._connection)
            files = [] if changes and self._is_nothing(changes) else self._write(picked, changes)
        except duckdb.Error as error:
            if find_full_disk(error):
                raise
            raise QueryError(str(error), f"{relation.name} was not exported.") from error
        since = wanted.since
        return Entry(
            table=relation.name,
            format=wanted.form,
            exported_time=_iso(self._time),
            run_id=self._run,
            rows=sum(file.rows for file in files),
            columns=[Described(c.name, c.header, str(c.type)) for c in picked.columns],
            files=[file.described() for file in files],
            query=relation.sql,
            partition_by=list(wanted.partition_by),
            order_by=list(relation.keys) if relation.order else [],
            changed_since=_iso(since) if isinstance(since, datetime) else since,
            is_whole=changes is None or changes.is_whole,
            changes=changes.counts if changes else {},
            is_labelled=wanted.is_labelled,
            is_safe_csv=wanted.is_safe,
            cut_cells=sum(file.cut for file in files),
        )

    def abandon(self) -> None:
        """Let go of what is open still."""
        self._files.abandon()

    def finish(self, entries: list[Entry], version: str) -> list[Entry]:
        """Move the files to their places, then what is old away; the manifest, and last the hashes.

        An export that is killed before the hashes are kept gives the same changes once more.
        """
        entries = self._files.close(entries)
        place = self._target.place
        for made, name in self._files.made():
            place.put(made, name)
        for old in self._manifest.take(entries):
            place.remove(old)
        text = self._folder / "manifest"
        text.write_text(self._manifest.as_json(version), "utf-8")
        place.put(text, self._manifest.name)
        for state, hashes in self._states:
            state.keep(hashes)
        return entries

    def _changes(self, relation: Relation) -> Changes | None:
        wanted = self._wanted
        if wanted.since is None:
            return None
        if isinstance(wanted.since, datetime):
            return since_time(self._connection, relation, wanted.since, wanted.times)
        state = State.of(
            self._published,
            self._target.place.identity,
            self._target.file or "",
            relation.sql or f"table {relation.name}",
            wanted.form,
        )
        found = since_last(self._connection, relation, state)
        hashes = self._folder / f"hashes{len(self._states)}"
        write_state(self._connection, hashes)
        self._states.append((state, hashes))
        return found

    def _is_nothing(self, changes: Changes) -> bool:
        """Whether there is no file to write: a file that was named is written, empty or not."""
        return self._target.file is None and not any(changes.counts.values())

    def _write(self, relation: Relation, changes: Changes | None) -> list[Part]:
        wanted = self._wanted
        sql = select(relation, wanted.form, wanted.partition_by, is_safe=wanted.is_safe)
        stem = relation.name
        if changes:
            stem = self._unused(f"{stem}.changes-{self._time:%Y%m%dT%H%M%SZ}")
        rows = self._connection.execute(sql).to_arrow_reader(BATCH[wanted.form])
        about = {
            "table": relation.name,
            "exported_time": _iso(self._time),
            "run_id": self._run,
            "columns": {column.name: str(column.type) for column in relation.columns},
        }
        return self._files.write(relation, stem, rows, wanted.partition_by, about)

    def _unused(self, stem: str) -> str:
        """A name that no earlier export of changes has: two may be made in one second."""
        taken = {
            PurePosixPath(file.path).stem
            for entry in self._manifest.entries
            for file in entry.files
        }
        names = (stem, *(f"{stem}-{number}" for number in range(2, len(taken) + 3)))
        return next(name for name in names if name not in taken)


def _relations(connection: duckdb.DuckDBPyConnection, wanted: Wanted) -> list[Relation]:
    if wanted.query is not None:
        found = [find_query(connection, wanted.query)]
    else:
        names = dict.fromkeys(wanted.tables or public_tables(connection))
        found = [find_table(connection, name, wanted.keys.get(name, ())) for name in names]
    if not found:
        raise ExportError("The published file has no tables.", "pipeduck run makes them.")
    picked = []
    for relation in found:
        chosen = relation.picked(wanted.columns)
        for name in wanted.partition_by:
            if name not in chosen.names:
                raise missing("column", name, chosen.names, f" in {relation.name}")
        if set(chosen.names) <= set(wanted.partition_by):
            raise ExportError(
                f"Every column of {relation.name} is a folder: nothing is left to write.",
                "Name fewer with --partition-by.",
            )
        picked.append(chosen)
    return picked


def _stream(
    connection: duckdb.DuckDBPyConnection,
    wanted: Wanted,
    relations: list[Relation],
    stdout: BinaryIO,
) -> Entry:
    """Write one relation to `stdout` as it is read."""
    if len(relations) > 1 or wanted.form not in {"csv", "jsonl"} or wanted.partition_by:
        raise ExportError(
            "- takes one table or query as csv or jsonl.", "Name a folder or a file with --out."
        )
    if wanted.since == "last":
        raise ExportError(
            "--changed-since last needs a target that it can recognise, and - is none.",
            "Name a folder or a file with --out, or a time with --changed-since.",
        )
    (relation,) = relations
    picked = relation
    if isinstance(wanted.since, datetime):
        picked = since_time(connection, relation, wanted.since, wanted.times).relation
    if wanted.is_labelled:
        picked = picked.labelled(connection)
    rows = connection.execute(
        select(picked, wanted.form, (), is_safe=wanted.is_safe)
    ).to_arrow_reader(BATCH[wanted.form])
    headers = [column.header for column in picked.columns]
    if wanted.is_safe:
        headers = [without_formula(header) for header in headers]
    writer: Writer = (
        CsvWriter(stdout, headers, rows.schema) if wanted.form == "csv" else JsonLinesWriter(stdout)
    )
    for batch in told_batches(rows):
        writer.write(batch)
    writer.close()
    stdout.flush()
    columns = [Described(c.name, c.header, str(c.type)) for c in picked.columns]
    return Entry(
        relation.name,
        wanted.form,
        _iso(datetime.now(UTC)),
        _newest_run(connection),
        writer.rows,
        columns,
        [],
    )


def _check_ending(out: str, form: Format) -> None:
    other = next((f for f in FORMATS if out.lower().endswith(f".{f}")), form)
    if other != form and not (not is_address(out) and local_path(out).is_dir()):
        raise ExportError(
            f"{without_user(out)} ends like {other}, and the format is {form}.",
            f"Say --format {other}, or name another file.",
        )


def _check_target(wanted: Wanted, relations: list[Relation], target: Target) -> None:
    if target.file is None:
        return
    if wanted.partition_by:
        raise ExportError(
            f"{without_user(wanted.out)} is one file, and --partition-by makes many.",
            "Name a folder with --out.",
        )
    if len(relations) > 1 and wanted.form != "xlsx":
        raise ExportError(
            f"{without_user(wanted.out)} is one file, and there are {len(relations)} tables.",
            "Name a folder with --out, one table with --tables, or a file that ends with .xlsx.",
        )


def _newest_run(connection: duckdb.DuckDBPyConnection) -> str | None:
    if "sync_runs" not in public_tables(connection):
        return None
    found = connection.execute(
        "select run_id from sync_runs order by started_time desc limit 1"
    ).fetchone()
    return str(found[0]) if found else None


def _told(error: OSError, wanted: Wanted) -> DiskFull | ExportError:
    """What the disk said, in a sentence."""
    if full := find_full_disk(error):
        return full
    reason = error.strerror or str(error)
    return ExportError(
        f"{without_user(wanted.out)} cannot be written: {reason}.",
        "What was there before is there still. Choose another place with --out.",
    )


def _iso(moment: datetime) -> str:
    return f"{moment.astimezone(UTC).isoformat(timespec='seconds').removesuffix('+00:00')}Z"
