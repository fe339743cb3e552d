"""The published file: `crm` as tables in schema `main`, swapped in whole.

Readers hold the old file or get the new one, never a half of one, and never block a run.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from pathlib import Path

import duckdb

from .encryption import is_readable, with_key
from .errors import WarehouseUnusable
from .files import ensure_folder, is_alive, private_files, replace_file
from .quoting import quote_identifier, quote_literal
from .refusals import find_full_disk

_DAY = 86_400.0  # seconds


def publish(connection: duckdb.DuckDBPyConnection, path: Path, *, key: str = "") -> int:
    """Write every relation of `crm` with its comments to `path`; returns how many there are.

    The copy is made beside `path`, or beside what `path` links to, and renamed over it; it is
    encrypted where there is a `key`. Raises DiskFull, and WarehouseUnusable for whatever else
    keeps it from being written, with the old file in place.
    """
    target = path.resolve()  # a link stays a link
    if target.is_dir():
        raise WarehouseUnusable(
            f"The published file {path} cannot be written: it is a folder.",
            "Name a file with publish under [warehouse].",
        )
    beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        ensure_folder(target.parent)
        _remove_leftovers(target)
        with private_files():
            relations = _copy(connection, beside, key)
        replace_file(beside, target)
        # of somebody who wrote into the file from before: it does not belong to this one
        target.with_name(f"{target.name}.wal").unlink(missing_ok=True)
        _remember(connection, path)
    except (OSError, duckdb.Error) as error:
        if full := find_full_disk(error):
            raise full from error
        if not isinstance(error, OSError | duckdb.IOException):
            raise
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise WarehouseUnusable(
            f"The published file {path} cannot be written: {reason}.",
            "The one from before is as it was, and what was loaded is kept.",
        ) from error
    finally:
        for leftover in (beside, beside.with_name(beside.name + ".wal")):
            with suppress(OSError):
                leftover.unlink(missing_ok=True)
    return relations


def is_published(connection: duckdb.DuckDBPyConnection, path: Path, *, key: str = "") -> bool:
    """Whether `path` was made from what `crm` holds now, is whole, and opens with `key`."""
    known = connection.execute(
        "select fingerprint from ops.models where name = ?", [_name(path)]
    ).fetchone()
    return path.is_file() and known == (_state(connection),) and is_readable(connection, path, key)


def _remove_leftovers(target: Path) -> None:
    """Remove what runs that were killed left beside `target`.

    The copy of a process that is alive is left alone for a day: another working file may be
    published to the same place. So is what another user owns, and what only looks alike.
    """
    name = re.compile(rf"\.{re.escape(target.name)}\.(?P<pid>\d+)\.tmp(\.wal)?")
    for file in target.parent.iterdir():
        found = name.fullmatch(file.name)
        with suppress(OSError):  # gone meanwhile, or not ours to remove
            if (
                found
                and file.is_file()
                and (os.name == "nt" or file.stat().st_uid == os.geteuid())
                and _is_left(int(found["pid"]), time.time() - file.stat().st_mtime)
            ):
                file.unlink()


def _is_left(pid: int, age: float) -> bool:
    return pid == os.getpid() or age > _DAY or not is_alive(pid)


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


def _copy(connection: duckdb.DuckDBPyConnection, target: Path, key: str) -> int:
    encrypted = f" ({with_key(key)})" if key else ""
    connection.execute(f"attach {quote_literal(str(target))} as published{encrypted}")
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
        for name, _ in relations:
            connection.execute(
                f"create table {_published(name)} as select * from crm.{quote_identifier(name)}"
            )
        _copy_comments(connection, {name: text for name, text in relations if text})
        connection.execute("checkpoint published")
        return len(relations)
    finally:
        with suppress(duckdb.Error):  # what made the copy fail is worth more
            connection.execute("detach published")


def _copy_comments(connection: duckdb.DuckDBPyConnection, tables: dict[str, str]) -> None:
    """The comments of tables and columns, in one transaction: there are hundreds."""
    columns = connection.execute(
        """
        select table_name, column_name, comment from duckdb_columns()
        where database_name = current_database() and schema_name = 'crm' and comment is not null
        """
    ).fetchall()
    connection.execute("begin transaction")
    try:
        for name, text in tables.items():
            connection.execute(f"comment on table {_published(name)} is {quote_literal(text)}")
        for name, column, text in columns:
            connection.execute(
                f"comment on column {_published(name)}.{quote_identifier(column)} "
                f"is {quote_literal(text)}"
            )
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise


def _published(name: str) -> str:
    return f"published.main.{quote_identifier(name)}"
