"""What a DuckDB file holds: its tables, and the columns of one with what is in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from .errors import QueryError
from .quoting import quote_identifier
from .sql_errors import nearest
from .values import as_cell

_EXAMPLES = 3
_LOOKED_AT = 50  # filled rows from which examples are taken
_OURS = "not internal and database_name in (current_database(), 'temp')"
"""Of the file and of this connection, not of what somebody attached."""


@dataclass(frozen=True, slots=True)
class TableInfo:
    """A table; `description` says what one row is."""

    name: str
    rows: int
    description: str


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """A column. `description` is Pipedrive's label of a custom one.

    `filled` is the share (0 to 1) of rows that have a value, an empty list being none; None where
    there are no rows. `examples` are up to three different values, as text.
    """

    name: str
    type: str
    description: str
    filled: float | None
    examples: tuple[str, ...]


def describe_tables(connection: duckdb.DuckDBPyConnection) -> list[TableInfo]:
    """Every table and view of the file, by name."""
    described = _tables(connection)
    if not described:
        return []
    counts = " union all ".join(
        f"select {number} as number, count(*) as rows from {quote_identifier(name)}"
        for number, name in enumerate(described)
    )
    counted = dict(connection.execute(counts).fetchall())
    return [
        TableInfo(name, counted[number], text)
        for number, (name, text) in enumerate(described.items())
    ]


def describe_columns(connection: duckdb.DuckDBPyConnection, table: str) -> list[ColumnInfo]:
    """The columns of `table`, in order. Raises QueryError where there is no such table."""
    known = {name.lower(): name for name in _tables(connection)}
    name = known.get(table.lower())
    if name is None:
        alike = nearest(table, known.values())
        raise QueryError(
            f"There is no table {table}.",
            f"Did you mean {' or '.join(alike)}?"
            if alike
            else "pipeduck tables lists what there is.",
        )
    columns = connection.execute(
        "select column_name, data_type, coalesce(comment, '') from duckdb_columns()"
        f" where table_name = $table and {_OURS} order by column_index",
        {"table": name},
    ).fetchall()
    filled = _filled(connection, name, columns)
    return [
        ColumnInfo(column, kind, text, share, _examples(connection, name, column, kind))
        for (column, kind, text), share in zip(columns, filled, strict=True)
    ]


def columns_by_table(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """The names of all columns, by the name of their table or view."""
    found: dict[str, list[str]] = {}
    for table, column in connection.execute(
        f"select table_name, column_name from duckdb_columns() where {_OURS}"
        " order by table_name, column_index"
    ).fetchall():
        found.setdefault(table, []).append(column)
    return found


def _tables(connection: duckdb.DuckDBPyConnection) -> Mapping[str, str]:
    rows = connection.execute(
        f"""
        select name, coalesce(comment, '') from (
            select table_name as name, comment, internal, database_name from duckdb_tables()
            union all
            select view_name, comment, internal, database_name from duckdb_views()
        )
        where {_OURS}
        order by name
        """
    ).fetchall()
    return dict(rows)


def _filled(
    connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[tuple[str, str, str]]
) -> list[float | None]:
    shares = ", ".join(f"avg(({_has_value(column, kind)})::integer)" for column, kind, _ in columns)
    row = connection.execute(f"select {shares} from {quote_identifier(table)}").fetchone()
    return list(row) if row else [None] * len(columns)


def _examples(
    connection: duckdb.DuckDBPyConnection, table: str, column: str, kind: str
) -> tuple[str, ...]:
    rows = connection.execute(
        f"select {quote_identifier(column)} from {quote_identifier(table)}"
        f" where {_has_value(column, kind)} limit {_LOOKED_AT}"
    ).fetchall()
    return tuple(dict.fromkeys(as_cell(value) for (value,) in rows))[:_EXAMPLES]


def _has_value(column: str, kind: str) -> str:
    name = quote_identifier(column)
    return f"len({name}) > 0 is true" if kind.endswith("[]") else f"{name} is not null"
