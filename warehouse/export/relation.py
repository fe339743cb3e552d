"""What is exported: a public table or the rows of a query, its columns, and their headers."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import duckdb
from duckdb import StatementType
from duckdb.sqltypes import DuckDBPyType

from ..errors import ExportError, QueryError
from ..quoting import quote_identifier, quote_literal

QUERY = "query"
"""What the rows of a query are called: its file, its sheet."""
QUERIED = "pipeduck_query"

_HELP = "pipeduck query 'show tables' lists what there is."
_ALIAS = "Earlier name of "


@dataclass(frozen=True)
class Column:
    """A column of the relation: its name and type there, and what it is called in the file."""

    name: str
    type: DuckDBPyType
    header: str


@dataclass(frozen=True)
class Relation:
    """A table or a query: `source` is SQL that stands after `from`."""

    name: str
    source: str
    columns: tuple[Column, ...]
    keys: tuple[str, ...]
    """The columns that tell its rows apart; empty: only the whole row does."""
    order: str
    """What stands after `order by`; empty: as the rows come."""
    table: str = ""
    """A table with these rows and a `rowid`; empty: there is none."""
    sql: str | None = None
    """The query."""

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(column.name for column in self.columns)

    def picked(self, wanted: Sequence[str]) -> Relation:
        """With the columns `wanted` alone, in that order. Raises ExportError."""
        if not wanted:
            return self
        by_name = {column.name: column for column in self.columns}
        for name in wanted:
            if name not in by_name:
                raise missing("column", name, by_name, f" in {self.name}")
        return replace(self, columns=tuple(by_name[name] for name in dict.fromkeys(wanted)))

    def labelled(self, connection: duckdb.DuckDBPyConnection) -> Relation:
        """With the labels that custom fields have in Pipedrive as headers; others keep their name.

        Headers stay unique, in letters of either case: where two would be alike, the column's name
        stands behind.
        """
        labels = _labels(connection, self.name if self.sql is None else None)
        headers = [labels.get(name, name) for name in self.names]
        taken = [header.casefold() for header in headers]
        headers = [
            header
            if taken.count(header.casefold()) == 1 or header == name
            else f"{header} ({name})"
            for header, name in zip(headers, self.names, strict=True)
        ]
        return replace(
            self,
            columns=tuple(
                replace(column, header=header)
                for column, header in zip(self.columns, _unique(headers), strict=True)
            ),
        )


def public_tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The tables of the published file, by name."""
    rows = connection.execute(
        """
        select table_name from duckdb_tables()
        where schema_name = 'main' and database_name = current_database() and not internal
        order by table_name
        """
    ).fetchall()
    return [name for (name,) in rows]


def find_table(
    connection: duckdb.DuckDBPyConnection, name: str, keys: Sequence[str] = ()
) -> Relation:
    """A public table, sorted by its `keys`. Raises ExportError where there is none."""
    known = public_tables(connection)
    if name not in known:
        raise missing("table", name, known)
    table = f"main.{quote_identifier(name)}"
    columns = _columns(connection, table)
    names = {column.name for column in columns}
    usable = tuple(keys) if set(keys) <= names else ()
    order = ", ".join(map(quote_identifier, usable)) or "all"
    return Relation(name, table, columns, usable, order, table)


def find_query(connection: duckdb.DuckDBPyConnection, sql: str) -> Relation:
    """The rows of one `select`, in its own order. Raises QueryError."""
    try:
        statements = duckdb.extract_statements(sql)
        if not statements:
            raise QueryError("There is no SQL to run.", _HELP)
        if len(statements) > 1 or statements[0].type != StatementType.SELECT:
            raise QueryError(
                "An export takes one statement that gives rows: a select.",
                "pipeduck query runs what else there is.",
            )
        text = _without_end(statements[0].query)
        connection.sql(text)  # its own words and lines in what DuckDB says of it
        source = f"(\n{text}\n)"
        columns = _columns(connection, source)
    except duckdb.Error as error:
        raise QueryError(str(error), _HELP) from error
    keys = ("id",) if any(column.name == "id" for column in columns) else ()
    return Relation(QUERY, source, columns, keys, "", sql=text)


def materialised(connection: duckdb.DuckDBPyConnection, relation: Relation) -> Relation:
    """The same rows as a table: those of a query are computed once, and kept while it is open."""
    if relation.table:
        return relation
    connection.execute(f"create or replace temp table {QUERIED} as from {relation.source}")
    return replace(relation, source=f"temp.{QUERIED}", table=f"temp.{QUERIED}")


def missing(kind: str, name: str, known: Iterable[str], where: str = "") -> ExportError:
    """That there is no such table or column, with the nearest that is there."""
    nearest = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    hint = f"Did you mean {nearest[0]}?" if nearest else _HELP
    return ExportError(f"There is no {kind} {name}{where}.", hint)


def _without_end(sql: str) -> str:
    """A statement without its semicolon and what stands behind, which may be a comment."""
    text = sql.encode()
    ends = (place for place, _ in duckdb.tokenize(sql) if text[place : place + 1] == b";")
    return text[: next(ends, len(text))].decode().strip()


def _columns(connection: duckdb.DuckDBPyConnection, source: str) -> tuple[Column, ...]:
    found = connection.sql(f"select * from {source}")
    return tuple(
        Column(name, kind, name) for name, kind in zip(found.columns, found.types, strict=True)
    )


def _labels(connection: duckdb.DuckDBPyConnection, table: str | None) -> dict[str, str]:
    """Labels by column, of one table or of whatever tables agree on; they travel as comments."""
    where = "" if table is None else f"and table_name = {quote_literal(table)}"
    rows = connection.execute(
        f"""
        select column_name, any_value(trim(comment))
        from duckdb_columns()
        where database_name = current_database() and starts_with(column_name, 'cf_')
            and trim(comment) <> '' and not starts_with(comment, '{_ALIAS}') {where}
        group by column_name
        having count(distinct trim(comment)) = 1
        """
    ).fetchall()
    return dict(rows)


def _unique(headers: Sequence[str]) -> list[str]:
    """Headers with a number behind what is still there twice."""
    taken: set[str] = set()
    unique = []
    for header in headers:
        shown, number = header, 1
        while shown.casefold() in taken:
            number += 1
            shown = f"{header} ({number})"
        taken.add(shown.casefold())
        unique.append(shown)
    return unique
