"""The last values of fields that were deleted in Pipedrive: `ops.retired_values`.

Pipedrive takes a deleted field's values out of all records, and a record that is read again comes
without them. The typed values of the last transform are still there when the next one begins.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from transforms.custom_fields import generate
from transforms.custom_fields.definitions import Entity
from transforms.custom_fields.registry import CustomColumn
from transforms.custom_fields.shapes import Shapes
from transforms.custom_fields.values import Value, pointer_step, values_of
from warehouse.quoting import quote_identifier as name
from warehouse.quoting import quote_literal as literal


def retired_keys(connection: duckdb.DuckDBPyConnection, entity: Entity) -> frozenset[str]:
    """The keys of the deleted fields of `entity` whose values are kept."""
    rows = connection.execute(
        "select distinct key from ops.retired_values where entity = $entity", {"entity": entity}
    ).fetchall()
    return frozenset(key for (key,) in rows)


def retire(
    connection: duckdb.DuckDBPyConnection,
    entity: Entity,
    before: Sequence[CustomColumn],
    after: Sequence[CustomColumn],
    shapes: Shapes,
    since: str,
) -> None:
    """Keep the values of the fields that were deleted, forget those of fields that came back.

    `before` and `after` are the registry before and after a look at the definitions. To be called
    while `staging.<entity>_custom_fields` is as the last transform left it; `since` is the newest
    load that one took in. The macros of the models are there.
    """
    is_active = {column.key: column.is_active for column in after}
    back = [key for key in retired_keys(connection, entity) if is_active.get(key)]
    if back:
        connection.execute(
            "delete from ops.retired_values where entity = $entity and list_contains($keys, key)",
            {"entity": entity, "keys": back},
        )
    deleted = [c for c in before if c.is_active and not is_active.get(c.key, True)]
    if not deleted or not _columns_of(connection, generate.RECORDS[entity]):
        return
    existing = _columns_of(connection, f"staging.{entity}_custom_fields")
    values = {column.key: values_of(column, shapes) for column in deleted}
    is_built = all(v.column in existing for found in values.values() for v in found)
    _read_late(connection, entity, deleted, shapes, since if is_built else "")
    for key, found in values.items():
        _keep(connection, entity, key, found, is_built=is_built)
    connection.execute("drop table late_records")


def _read_late(
    connection: duckdb.DuckDBPyConnection,
    entity: Entity,
    deleted: Sequence[CustomColumn],
    shapes: Shapes,
    since: str,
) -> None:
    """Type the values in records of loads after the last transform, which it has not seen."""
    sql = generate.custom_fields_sql(entity, deleted, (), shapes)
    connection.execute(
        f"""
        create or replace temp table late_records as
        select custom.*, records.payload
        from (
        {sql}
        ) as custom
        join {generate.RECORDS[entity]} as records on records.id = custom.id
        """,
        {"since": since},
    )


def _keep(
    connection: duckdb.DuckDBPyConnection,
    entity: Entity,
    key: str,
    values: Sequence[Value],
    *,
    is_built: bool,
) -> None:
    """Write the values of one field: from late records that have its key, else as last typed."""
    step = pointer_step(key)
    has_key = " or ".join(
        f"json_exists(payload, {literal(pointer)})"
        for pointer in (f"/custom_fields/{step}", f"/{step}")
    )
    columns = ", ".join(name(value.column) for value in values)
    last = f"select id, {columns} from late_records where {has_key}"
    if is_built:
        last += f"""
            union all
            select id, {columns}
            from staging.{name(f"{entity}_custom_fields")}
            where id not in (select id from late_records where {has_key})"""
    members = ", ".join(f"{literal(v.part)}, {v.retired_json}" for v in values)
    has_value = " or ".join(f"{name(value.column)} is not null" for value in values)
    connection.execute(
        "delete from ops.retired_values where entity = $entity and key = $key",
        {"entity": entity, "key": key},
    )
    connection.execute(
        f"""
        insert into ops.retired_values (entity, id, key, value)
        select $entity, id::varchar, $key, json_object({members})
        from (
            {last}
        )
        where {has_value}
        """,
        {"entity": entity, "key": key},
    )


def _columns_of(connection: duckdb.DuckDBPyConnection, relation: str) -> set[str]:
    schema, table = relation.split(".")
    rows = connection.execute(
        "select column_name from duckdb_columns() where schema_name = $schema"
        " and table_name = $table and database_name = current_database()",
        {"schema": schema, "table": table},
    ).fetchall()
    return {column for (column,) in rows}
