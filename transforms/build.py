"""Builds one model after another: from scratch, from the new records, or not at all."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import duckdb

from transforms.comments import write_comments
from transforms.models import SCHEMAS, Model
from warehouse.errors import ModelError
from warehouse.quoting import quote_identifier, quote_literal

Mode = Literal["rebuilt", "incremental", "unchanged"]


@dataclass(frozen=True, slots=True)
class BuiltModel:
    """What was done for one model. `rows` is None for a view, `seconds` is wall time."""

    name: str
    mode: Mode
    rows: int | None
    seconds: float


@dataclass(frozen=True, slots=True)
class _Build:
    """What the ledger remembers of a model: a row of `ops.models`."""

    fingerprint: str
    load_id: str | None
    rows: int | None


def build_models(
    connection: duckdb.DuckDBPyConnection,
    models: Sequence[Model],
    *,
    macros: str,
    comments: Mapping[str, Mapping[str, str]],
    newest: Mapping[str, str],
    now: datetime,
    full: bool,
) -> tuple[BuiltModel, ...]:
    """Bring every model up to date; `models` in order, `newest` the last load id of each raw table
    and of each model that reads something else that grows.

    A model is rebuilt when its own text, its comments, the macros or anything it reads was written
    anew since; an incremental one otherwise takes in the records of later loads, and a table is
    rebuilt for them. What is in the way (a table that is a view now, a model that is gone) goes.
    """
    known = _ledger(connection)
    relations = _relations(connection)
    fingerprints: dict[str, str] = {}
    load_ids: dict[str, str | None] = dict(newest)
    built: list[BuiltModel] = []
    for model in models:
        started = time.perf_counter()
        upstream = [fingerprints[name] for name in sorted(model.depends_on) if name in fingerprints]
        described = sorted(comments.get(model.name, {}).items())
        parts = (macros, model.sql, model.materialized, model.description, model.columns, described)
        fingerprint = hashlib.sha256(repr((*parts, upstream)).encode()).hexdigest()[:32]
        fingerprints[model.name] = fingerprint
        read = (load_ids.get(name) or "" for name in model.depends_on)
        load_id = newest.get(model.name) or max(read, default="") or None
        load_ids[model.name] = load_id

        last = known.get(model.name)
        mode = _mode(model, last, fingerprint, load_id, full or model.name not in relations)
        if mode == "unchanged":
            rows = last.rows if last else None
        else:
            try:
                if mode == "rebuilt":
                    _rebuild(connection, model, relations.get(model.name))
                else:
                    _add_new(connection, model, last.load_id if last else None)
                if mode == "rebuilt":
                    write_comments(connection, model, comments.get(model.name, {}))
                rows = _count(connection, model)
            except duckdb.Error as error:
                raise ModelError(
                    f"{model.name} does not build: {str(error).splitlines()[0]}",
                    "Nothing was changed; see transforms/sql, or pipeduck transforms show.",
                ) from error
            _remember(connection, model.name, _Build(fingerprint, load_id, rows), now)
        built.append(BuiltModel(model.name, mode, rows, time.perf_counter() - started))
    for name in relations.keys() - fingerprints.keys():
        _drop(connection, name, relations[name])
        connection.execute("delete from ops.models where name = $name", {"name": name})
    return tuple(built)


def _mode(
    model: Model, last: _Build | None, fingerprint: str, load_id: str | None, is_forced: bool
) -> Mode:
    if is_forced or last is None or last.fingerprint != fingerprint:
        return "rebuilt"
    if model.materialized == "view" or load_id == last.load_id:
        return "unchanged"
    is_newer = (load_id or "") > (last.load_id or "")
    return "incremental" if model.materialized == "incremental" and is_newer else "rebuilt"


def _rebuild(connection: duckdb.DuckDBPyConnection, model: Model, before: str | None) -> None:
    kind = "view" if model.materialized == "view" else "table"
    if before not in (None, kind):
        _drop(connection, model.name, str(before))
    values = {"since": ""} if model.materialized == "incremental" else None
    connection.execute(f"create or replace {kind} {_quoted(model.name)} as\n{model.sql}", values)


def _add_new(connection: duckdb.DuckDBPyConnection, model: Model, since: str | None) -> None:
    """Decode the records of later loads and put their rows in place of the old ones."""
    relation = _quoted(model.name)
    connection.execute(
        f"create or replace temp table new_rows as\n{model.sql}", {"since": since or ""}
    )
    connection.execute(f"delete from {relation} where id in (select id from new_rows)")
    connection.execute(f"insert into {relation} by name select * from new_rows")
    connection.execute("drop table new_rows")


def _count(connection: duckdb.DuckDBPyConnection, model: Model) -> int | None:
    if model.materialized == "view":
        return None
    row = connection.execute(f"select count(*) from {_quoted(model.name)}").fetchone()
    return int(row[0]) if row else None


def _ledger(connection: duckdb.DuckDBPyConnection) -> dict[str, _Build]:
    rows = connection.execute("select name, fingerprint, load_id, rows from ops.models").fetchall()
    return {name: _Build(*rest) for name, *rest in rows}


def _remember(
    connection: duckdb.DuckDBPyConnection, name: str, build: _Build, now: datetime
) -> None:
    connection.execute("delete from ops.models where name = $name", {"name": name})
    connection.execute(
        "insert into ops.models (name, fingerprint, load_id, rows, built_time)"
        " values ($name, $fingerprint, $load_id, $rows, $now)",
        {
            "name": name,
            "fingerprint": build.fingerprint,
            "load_id": build.load_id,
            "rows": build.rows,
            "now": now,
        },
    )


def _relations(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """What stands in the schemas of models now: 'table' or 'view' by name."""
    schemas = ", ".join(quote_literal(schema) for schema in SCHEMAS)
    rows = connection.execute(
        f"""
        select schema_name || '.' || table_name, 'table'
        from duckdb_tables()
        where database_name = current_database() and schema_name in ({schemas})
        union all
        select schema_name || '.' || view_name, 'view'
        from duckdb_views()
        where database_name = current_database() and schema_name in ({schemas})
        """
    ).fetchall()
    return dict(rows)


def _drop(connection: duckdb.DuckDBPyConnection, name: str, kind: str) -> None:
    connection.execute(f"drop {kind} if exists {_quoted(name)}")


def _quoted(name: str) -> str:
    return ".".join(quote_identifier(part) for part in name.split("."))
