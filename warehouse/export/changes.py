"""What changed since an earlier export, with what is gone: `_change` is created, updated, deleted.

Since `last`: the last export of changes to the same target left a hash of every row, in a folder
beside the published file. Rows are compared by their content, so that nothing depends on a time
that was moved: an option that got another label, or a record healed by a reconcile, is a change.
Since a time: by the times in the rows, which know less, and nothing of rows that are no more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet

from ..errors import ExportError
from ..files import ensure_folder, private_files, replace_file
from ..quoting import quote_identifier, quote_literal
from . import values
from .relation import Column, Relation, materialised
from .writers import ROW_GROUP

CHANGE = "_change"
_NOW, _BEFORE, _CHANGES = "pipeduck_now", "pipeduck_before", "pipeduck_changes"
_DELETED, _DELETED_TIME, _ADD_TIME = "is_deleted", "deleted_time", "add_time"


@dataclass(frozen=True)
class State:
    """What the last export of changes left: hashes of rows. `file` may not be there yet."""

    file: Path

    @classmethod
    def of(cls, published: Path, *parts: str) -> State:
        """The one for a target, a table or a query, and a format."""
        digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        return cls(published.with_name(f".{published.stem}.exports") / f"{digest[:32]}.parquet")

    def read(self) -> pa.Table | None:
        """The hashes; None where there are none, or where they cannot be read."""
        try:
            return pyarrow.parquet.read_table(self.file)
        except (FileNotFoundError, pa.ArrowException):
            return None

    def keep(self, made: Path) -> None:
        """Put the new hashes in the place of the old ones. Raises OSError."""
        ensure_folder(self.file.parent)
        self.file.parent.chmod(0o700)
        self.file.touch(0o600)
        replace_file(made, self.file)


@dataclass(frozen=True)
class Changes:
    """A relation of changes, and how many of each there are."""

    relation: Relation
    is_whole: bool
    counts: dict[str, int]


def since_last(connection: duckdb.DuckDBPyConnection, relation: Relation, state: State) -> Changes:
    """What differs from the rows that `state` knows; the first time everything.

    Rows that are no more come with their key alone, or whole where the row is its own key.
    Raises ExportError for a relation that has `_change` already, or not its keys.
    """
    _check(relation)
    relation = materialised(connection, relation)
    keys = _keys(relation)
    deleted = _flag(connection, relation)
    names = [quote_identifier(key.name) for key in keys]
    listed = ", ".join(f"{name} as k{number}" for number, name in enumerate(names))
    connection.execute(
        f"""
        create or replace temp table {_NOW} as
        with hashed as (
            select
                rowid as _row,
                {listed},
                {values.fingerprint(keys)} as _key,
                {values.fingerprint(relation.columns)} as _hash,
                {deleted} as _deleted
            from {relation.table}
        )
        select *, row_number() over (partition by _key order by _hash) as _number from hashed
        """
    )
    before = state.read()
    is_whole = before is None or not _is_usable(before, len(keys))
    if is_whole:
        connection.execute(f"create or replace temp table {_BEFORE} as from {_NOW} limit 0")
    else:
        connection.register(_BEFORE, before)
    old = ", ".join(f"before.k{number} as k{number}" for number in range(len(keys)))
    connection.execute(
        f"""
        create or replace temp table {_CHANGES} as
        select
            now._row,
            {old},
            case
                when now._key is null then 'deleted'
                when now._deleted and not coalesce(before._deleted, false) then 'deleted'
                when before._key is null then 'created'
                else 'updated'
            end as {CHANGE}
        from temp.{_NOW} as now
        full join {_BEFORE} as before
            on now._key = before._key and now._number = before._number
        where now._key is null or before._key is null
            or now._hash <> before._hash or now._deleted <> before._deleted
        """
    )
    columns = ", ".join(f"t.{quote_identifier(name)}" for name in relation.names)
    by_key = {key.name: f"k{number}" for number, key in enumerate(keys)}
    gone = ", ".join(
        f"try_cast({by_key.get(c.name, 'null')} as {c.type}) as {quote_identifier(c.name)}"
        for c in relation.columns
    )
    source = f"""(
        select {columns}, c.{CHANGE}
        from {relation.table} as t
        join temp.{_CHANGES} as c on t.rowid = c._row
        union all
        select {gone}, {CHANGE}
        from temp.{_CHANGES}
        where _row is null
    )"""
    return _changes(connection, relation, source, is_whole=is_whole)


def write_state(connection: duckdb.DuckDBPyConnection, made: Path) -> None:
    """Write the hashes of what `since_last` saw to the file `made`. Raises OSError."""
    rows = connection.execute(f"select * exclude (_row) from temp.{_NOW}").to_arrow_reader(
        ROW_GROUP
    )
    with private_files(), made.open("wb") as stream:
        writer = pyarrow.parquet.ParquetWriter(stream, rows.schema, compression="zstd")
        for batch in rows:
            writer.write_batch(batch)
        writer.close()


def since_time(
    connection: duckdb.DuckDBPyConnection,
    relation: Relation,
    moment: datetime,
    times: Sequence[str],
) -> Changes:
    """Rows of which one of `times` is not before `moment`, and rows that have none.

    All rows, where the table has no such columns.
    """
    _check(relation)
    relation = materialised(connection, relation)
    has = {
        column.name: quote_identifier(column.name)
        for column in _all_columns(connection, relation)
        if column.type.id in {values.TIMESTAMP_TZ, "timestamp"}
    }
    known = [has[name] for name in times if name in has]
    shown = f"timestamptz {quote_literal(moment.astimezone(UTC).isoformat())}"

    def is_after(name: str) -> str:
        return f"coalesce({has[name]} >= {shown}, false)" if name in has else "false"

    deleted = _flag(connection, relation)
    columns = ", ".join(map(quote_identifier, relation.names))
    latest = f"greatest({', '.join(known)})"  # of those that are not NULL
    where = f"{latest} >= {shown} or {latest} is null" if known else "true"
    source = f"""(
        select
            {columns},
            case
                when {deleted} and ({is_after(_DELETED_TIME)}) then 'deleted'
                when {is_after(_ADD_TIME)} then 'created'
                else 'updated'
            end as {CHANGE}
        from {relation.source}
        where {where}
    )"""
    return _changes(connection, relation, source, is_whole=not known)


def _changes(
    connection: duckdb.DuckDBPyConnection, relation: Relation, source: str, *, is_whole: bool
) -> Changes:
    counts = dict(
        connection.execute(f"select {CHANGE}, count(*) from {source} group by 1").fetchall()
    )
    (kind,) = connection.sql("select ''").types
    columns = (*relation.columns, Column(CHANGE, kind, CHANGE))
    return Changes(
        replace(relation, source=source, columns=columns, table=""),
        is_whole,
        {change: counts.get(change, 0) for change in ("created", "updated", "deleted")},
    )


def _check(relation: Relation) -> None:
    if CHANGE in relation.names:
        raise ExportError(
            f"{relation.name} has a column {CHANGE} of its own.",
            "An export of changes adds one: give it another name.",
        )
    missing = [key for key in relation.keys if key not in relation.names]
    if missing:
        raise ExportError(
            f"Changes of {relation.name} cannot be told without {' and '.join(missing)}.",
            "Add it to --columns.",
        )


def _keys(relation: Relation) -> tuple[Column, ...]:
    by_name = {column.name: column for column in relation.columns}
    return tuple(by_name[key] for key in relation.keys) or relation.columns


def _flag(connection: duckdb.DuckDBPyConnection, relation: Relation) -> str:
    is_there = any(
        column.name == _DELETED and column.type.id == "boolean"
        for column in _all_columns(connection, relation)
    )
    return f"coalesce({_DELETED}, false)" if is_there else "false"


def _all_columns(connection: duckdb.DuckDBPyConnection, relation: Relation) -> list[Column]:
    """Also those that are not exported."""
    found = connection.sql(f"select * from {relation.source}")
    return [Column(name, kind, name) for name, kind in zip(found.columns, found.types, strict=True)]


def _is_usable(before: pa.Table, keys: int) -> bool:
    """Whether hashes were kept for as many key columns; after an upgrade they may not be."""
    expected = {*(f"k{number}" for number in range(keys)), "_key", "_hash", "_deleted", "_number"}
    return set(before.column_names) == expected
