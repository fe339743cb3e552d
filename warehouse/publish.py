"""The published file: `crm` as tables in schema `main`, swapped in whole.

Readers hold the old file or get the new one, never a half of one, and never block a run.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import duckdb

from .errors import WarehouseUnusable
from .quoting import quote_identifier, quote_literal


def publish(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    """Write every relation of `crm` with its comments to `path`; returns how many there are.

    The copy is made beside `path` and renamed over it. Raises WarehouseUnusable, with the old
    file in place, when it cannot be written.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for leftover in path.parent.glob(f".{path.name}.*.tmp*"):
            leftover.unlink()  # of a run that was killed; the working file lets only one run
        relations = _copy(connection, beside)
        with beside.open("rb") as written:
            os.fsync(written.fileno())
        beside.replace(path)
        _remember(connection, path)
    except (OSError, duckdb.IOException) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise WarehouseUnusable(
            f"The published file {path} cannot be written: {reason}.",
            "The one from before is as it was, and what was loaded is kept.",
        ) from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
            beside.with_name(beside.name + ".wal").unlink(missing_ok=True)
    return relations


def is_published(connection: duckdb.DuckDBPyConnection, path: Path) -> bool:
    """Whether `path` is there and was made from what `crm` holds now."""
    known = connection.execute(
        "select fingerprint from ops.models where name = ?", [_name(path)]
    ).fetchone()
    return path.is_file() and known == (_state(connection),)


def _remember(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    connection.execute("delete from ops.models where name = ?", [_name(path)])
    connection.execute(
        "insert into ops.models (name, fingerprint, built_time) values (?, ?, now())",
        [_name(path), _state(connection)],
    )


def _name(path: Path) -> str:
    return f"published {path}"


def _state(connection: duckdb.DuckDBPyConnection) -> str:
    """What the public tables were built from, the dictionary among it, in one word.

    Names with `published ` or `noted ` before them are bookkeeping, and say nothing of the tables.
    """
    found = connection.execute(
        """
        select md5(concat_ws(
            ';',
            (
                select string_agg(concat_ws('|', name, fingerprint, load_id), ';' order by name)
                from ops.models
                where not starts_with(name, 'published ') and not starts_with(name, 'noted ')
            ),
            (select string_agg(f::varchar, ';' order by f::varchar) from ops.custom_columns as f),
            (
                select string_agg(o::varchar, ';' order by o::varchar)
                from ops.custom_field_options as o
            )
        ))
        """
    ).fetchone()
    return str(found and found[0])


def _copy(connection: duckdb.DuckDBPyConnection, target: Path) -> int:
    connection.execute(f"attach {quote_literal(str(target))} as published")
    try:
        relations = connection.execute(
            """
            select table_name, comment from (
                select table_name, comment, schema_name, database_name, internal
                from duckdb_tables()
                union all
                select view_name, comment, schema_name, database_name, internal
                from duckdb_views()
            )
            where schema_name = 'crm' and database_name = current_database() and not internal
            order by table_name
            """
        ).fetchall()
        for name, comment in relations:
            _copy_relation(connection, name, comment)
        connection.execute("checkpoint published")
        return len(relations)
    finally:
        connection.execute("detach published")


def _copy_relation(connection: duckdb.DuckDBPyConnection, name: str, comment: str | None) -> None:
    table = f"published.main.{quote_identifier(name)}"
    connection.execute(f"create table {table} as select * from crm.{quote_identifier(name)}")
    if comment:
        connection.execute(f"comment on table {table} is {quote_literal(comment)}")
    columns = connection.execute(
        """
        select column_name, comment from duckdb_columns()
        where database_name = current_database() and schema_name = 'crm' and table_name = ?
            and comment is not null
        """,
        [name],
    ).fetchall()
    for column, text in columns:
        connection.execute(
            f"comment on column {table}.{quote_identifier(column)} is {quote_literal(text)}"
        )
