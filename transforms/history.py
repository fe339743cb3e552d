"""History: keeps each version seen of a record, and shows them as `crm.<entity>_history`.

`capture` writes to `ops.versions`, where a version is what a record is in raw: the payload as
received, with the place and the tombstone it had. `history_models` shows them: a second instance of
the entity's own models reads versions instead of records, so that every version has the columns,
names and types of today.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import duckdb

from transforms.custom_fields.definitions import Entity
from transforms.custom_fields.generate import RECORDS
from transforms.custom_fields.shapes import RAW_TABLES, Shapes
from transforms.models import Model, read_sql

_MOVING: tuple[Entity, ...] = ("leads", "deals")
"""The entities that have an archive."""


def capture(
    connection: duckdb.DuckDBPyConnection,
    entity: Entity,
    models: Mapping[str, Model],
    *,
    now: datetime,
    full: bool,
) -> None:
    """Add what is new since the last capture to the versions of `entity`.

    Costs next to nothing where neither a load nor a tombstone is new. `full` compares all records,
    as after raw was edited by hand. Reads raw and the tombstones, so it belongs before the models;
    needs the macros.
    """
    load_id, tombstones = _state(connection, entity)
    noted = connection.execute(
        "select coalesce(load_id, ''), fingerprint from ops.models where name = $name",
        {"name": _note(entity)},
    ).fetchone()
    if noted == (load_id, tombstones) and not full:
        return
    records = RECORDS[entity]
    source = f"(\n{models[records].sql})" if records in models else records
    is_archived = "is_archived" if entity in _MOVING else "null::boolean as is_archived"
    connection.execute(
        "create or replace temp view record_copies as\n"
        f"select id::varchar as id, payload, api, {is_archived}, read_time, _dlt_load_id\n"
        f"from {source} as records"
    )
    captured = read_sql("capture_versions.sql")
    values = {
        "entity": entity,
        "since": noted[0] if noted and not full else "",
        "now": now,
        "load_id": _capture_id(connection, now),
    }
    if newest_capture(connection, entity):
        connection.execute(f"create or replace temp table captured as\n{captured}", values)
        connection.execute(
            "delete from ops.versions where version in (select version from captured);"
            "insert into ops.versions by name from captured; drop table captured"
        )
    else:  # all records: too many to hold twice
        connection.execute(f"insert into ops.versions by name\n{captured}", values)
    connection.execute("drop view record_copies")
    connection.execute("delete from ops.models where name = $name", {"name": _note(entity)})
    connection.execute(
        "insert into ops.models (name, fingerprint, load_id, built_time)"
        " values ($name, $fingerprint, $load_id, $now)",
        {"name": _note(entity), "fingerprint": tombstones, "load_id": load_id, "now": now},
    )


def newest_capture(connection: duckdb.DuckDBPyConnection, entity: Entity) -> str:
    """The `_dlt_load_id` of the newest version of `entity`; empty while there is none."""
    row = connection.execute(
        "select max(_dlt_load_id) from ops.versions where entity = $entity", {"entity": entity}
    ).fetchone()
    return str(row[0] or "") if row else ""


def version_shapes(connection: duckdb.DuckDBPyConnection, entity: Entity) -> Shapes:
    """The shapes the versions of `entity` have; both while there is none."""
    row = connection.execute(
        "select coalesce(bool_or(api = 'v2'), true), coalesce(bool_or(api <> 'v2'), true)"
        " from ops.versions where entity = $entity",
        {"entity": entity},
    ).fetchone()
    return Shapes(*row) if row else Shapes()


def _note(entity: Entity) -> str:
    """The row of `ops.models` that says what was captured; `noted`: not part of what is shown."""
    return f"noted versions of {entity}"


def _state(connection: duckdb.DuckDBPyConnection, entity: Entity) -> tuple[str, str]:
    """The newest load of the entity's records, and its tombstones in one word."""
    loads = " union all ".join(
        f"select max(_dlt_load_id) as load_id from raw.{table}" for table in RAW_TABLES[entity]
    )
    row = connection.execute(
        f"""
        select
            (select coalesce(max(load_id), '') from ({loads})),
            (
                select md5(coalesce(string_agg(
                    concat_ws(
                        '|', id, reason, epoch_us(deleted_time), coalesce(merged_into_id, 0),
                        coalesce(converted_deal_id, 0), converted_lead_id
                    ),
                    ';' order by id
                ), ''))
                from ops.tombstones
                where entity = $entity
            )
        """,
        {"entity": entity},
    ).fetchone()
    load_id, tombstones = row or ("", "")
    return str(load_id), str(tombstones)


def _capture_id(connection: duckdb.DuckDBPyConnection, now: datetime) -> str:
    """A load id that sorts after those of all captures before, even where the clock went back."""
    row = connection.execute("select max(_dlt_load_id) from ops.versions").fetchone()
    newest = str(row[0] or "") if row else ""
    capture_id = f"{now.timestamp():.6f}"
    return capture_id if capture_id > newest else f"{newest}1"
