"""From raw to crm in one transaction, doing no more than what is new asks for.

`transform` looks at the definitions, gives new custom fields their columns, builds every model
(`build`), and refreshes the list of rejected values. It does no HTTP and reads no configuration.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import duckdb

from transforms.build import BuiltModel, build_models
from transforms.custom_fields import generate, options, registry
from transforms.custom_fields.definitions import ENTITIES, Entity, read_definitions
from transforms.custom_fields.differences import Added, FieldChange, Renamed, differences
from transforms.custom_fields.options import KnownOption
from transforms.custom_fields.registry import CustomColumn
from transforms.custom_fields.retired import retire, retired_keys
from transforms.custom_fields.shapes import Shapes, find_shapes
from transforms.custom_fields.unnamed import find_unnamed
from transforms.history import capture, newest_capture, version_shapes
from transforms.history_models import (
    HISTORY_COLUMNS,
    history_models,
    history_name,
    records_name,
)
from transforms.models import SCHEMAS, Model, in_order, load_models, read_sql
from transforms.raw import RAW_TABLES, create_missing_sql
from warehouse.quoting import quote_literal

__all__ = ["Added", "BuiltModel", "Renamed", "Transformed", "show", "transform"]


@dataclass(frozen=True, slots=True)
class Transformed:
    """What a transform did. `is_changed` false: every public table is what it was before."""

    is_changed: bool
    models: tuple[BuiltModel, ...]
    rejected: int
    changes: tuple[FieldChange, ...] = ()

    @property
    def renamed(self) -> tuple[Renamed, ...]:
        """The fields whose label or column is another than before."""
        return tuple(change for change in self.changes if isinstance(change, Renamed))

    @property
    def added(self) -> tuple[Added, ...]:
        """The fields seen for the first time."""
        return tuple(change for change in self.changes if isinstance(change, Added))


@dataclass(frozen=True, slots=True)
class _CustomFields:
    """What the registry says of one entity after a look at the definitions, and what changed."""

    entity: Entity
    columns: tuple[CustomColumn, ...]
    options: tuple[KnownOption, ...]
    shapes: Shapes
    retired: frozenset[str]
    is_changed: bool = False
    changes: tuple[FieldChange, ...] = ()


def transform(
    connection: duckdb.DuckDBPyConnection,
    *,
    now: datetime,
    columns: Mapping[str, Mapping[str, str]] | None = None,
    history: Sequence[Entity] = (),
    full: bool = False,
) -> Transformed:
    """Bring staging and crm up to date with raw, all or nothing.

    `connection` is the working file, open for writing, with the tables of ops in it. `columns` is
    `[transforms.columns.*]` of config.toml: entity, then key, then column name. `history` names the
    entities whose versions are kept and shown. `full` rebuilds everything; needed when raw was
    emptied or edited by hand, as later loads alone are looked at otherwise.

    Raises ModelError for a model that does not parse or run, ColumnNameError for a name in
    `columns` that cannot be used. Either way the file is left as it was.
    """
    connection.execute("begin transaction")
    try:
        transformed = _transform(connection, now, columns or {}, history, full)
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise
    return transformed


def show(connection: duckdb.DuckDBPyConnection, entity: Entity) -> str:
    """The generated SQL of an entity's custom fields, as the last transform ran it."""
    columns = registry.load(connection, entity)
    known = options.load(connection, entity)
    shapes = find_shapes(connection, entity)
    kept = retired_keys(connection, entity)
    models = _generated(_CustomFields(entity, columns, known, shapes, kept))
    return "\n".join(f"-- {m.name}: {m.description}\n{m.sql}" for m in models)


def preview(
    connection: duckdb.DuckDBPyConnection,
    *,
    now: datetime,
    columns: Mapping[str, Mapping[str, str]] | None = None,
) -> tuple[FieldChange, ...]:
    """What `transform` would change in the registry of `connection`, which is left as it is.

    Raises ColumnNameError like `transform`.
    """
    models = load_models()
    changes: list[FieldChange] = []
    for entity in ENTITIES:
        definitions = read_definitions(connection, entity)
        before, known = registry.load(connection, entity), options.load(connection, entity)
        after = registry.assign(
            entity,
            before,
            None if definitions is None else definitions.fields,
            (columns or {}).get(entity, {}),
            _reserved(models, entity),
            now,
        )
        changes += differences(entity, before, after, known, options.merge(known, definitions, now))
    return tuple(changes)


def _transform(
    connection: duckdb.DuckDBPyConnection,
    now: datetime,
    columns: Mapping[str, Mapping[str, str]],
    history: Sequence[Entity],
    full: bool,
) -> Transformed:
    models = load_models() | {_FIELD_TYPES.name: _FIELD_TYPES}
    macros = read_sql("macros.sql")
    schemas = "".join(f"create schema if not exists {name};\n" for name in SCHEMAS)
    connection.execute(schemas + create_missing_sql() + macros)

    entities = [
        _custom_fields(connection, entity, columns.get(entity, {}), models, now)
        for entity in ENTITIES
    ]
    comments: dict[str, dict[str, str]] = {}
    for fields in entities:
        models |= {model.name: model for model in _generated(fields)}
        described = generate.column_comments(fields.columns)
        for name in (
            f"staging.{fields.entity}_custom_fields",
            f"staging.{fields.entity}_custom_columns",
            f"crm.{fields.entity}",
        ):
            comments[name] = described
        if fields.entity in history:
            models |= _history(connection, fields, models, now, full)
            comments[history_name(fields.entity)] = described

    built = build_models(
        connection,
        in_order(models, _given_relations(connection)),
        macros=macros,
        comments=comments,
        newest=_newest_load_ids(connection)
        | {records_name(entity): newest_capture(connection, entity) for entity in history},
        now=now,
        full=full,
    )
    written = {model.name for model in built if model.mode != "unchanged"}
    for name, tables in _REJECTING.items():
        if written & set(tables):
            _refresh_rejected(connection, name, tables)
    is_tombstoned = _tombstones_changed(connection, now)
    return Transformed(
        is_changed=bool(written) or is_tombstoned or any(fields.is_changed for fields in entities),
        models=built,
        rejected=_scalar(connection, "select count(*) from ops.rejected_values"),
        changes=tuple(change for fields in entities for change in fields.changes),
    )


def _custom_fields(
    connection: duckdb.DuckDBPyConnection,
    entity: Entity,
    explicit: Mapping[str, str],
    models: Mapping[str, Model],
    now: datetime,
) -> _CustomFields:
    """Look at the definitions of `entity` and bring its registry and options up to date."""
    definitions = read_definitions(connection, entity)
    before = registry.load(connection, entity)
    fields = () if definitions is None else definitions.fields
    since = _decoded_up_to(connection, f"staging.{entity}_custom_fields")
    unnamed = find_unnamed(
        connection,
        entity,
        named={column.key for column in before} | {definition.key for definition in fields},
        since=since,
        now=now,
    )
    after = registry.assign(
        entity,
        (*before, *unnamed),
        None if definitions is None else fields,
        explicit,
        reserved=_reserved(models, entity),
        now=now,
    )
    known = options.load(connection, entity)
    merged = options.merge(known, definitions, now)
    shapes = find_shapes(connection, entity)
    is_changed = set(before) != set(after) or set(known) != set(merged)
    changes = differences(entity, before, after, known, merged) if is_changed else ()
    if is_changed:
        retire(connection, entity, before, after, shapes, since)
        registry.save(connection, entity, after)
        options.save(connection, entity, merged)
        after, merged = registry.load(connection, entity), options.load(connection, entity)
    kept = retired_keys(connection, entity)
    return _CustomFields(entity, after, merged, shapes, kept, is_changed, changes)


def _generated(fields: _CustomFields) -> tuple[Model, Model]:
    entity = fields.entity
    return (
        Model(
            f"staging.{entity}_custom_fields",
            generate.custom_fields_sql(
                entity, fields.columns, fields.options, fields.shapes, fields.retired
            ),
            "incremental",
            f"One row per record of {entity}, with its custom fields typed.",
        ),
        Model(
            f"staging.{entity}_custom_columns",
            generate.custom_columns_sql(entity, fields.columns),
            "view",
            f"One row per record of {entity}: custom fields with the names of what they refer to.",
        ),
    )


def _history(
    connection: duckdb.DuckDBPyConnection,
    fields: _CustomFields,
    models: Mapping[str, Model],
    now: datetime,
    full: bool,
) -> dict[str, Model]:
    """Keep what is new of an entity as versions; returns the models that show them."""
    entity = fields.entity
    capture(connection, entity, models, now=now, full=full)
    columns = tuple(replace(column, aliases=()) for column in fields.columns)
    custom = replace(fields, columns=columns, shapes=version_shapes(connection, entity))
    shown = history_models(entity, models, _generated(custom), columns)
    return {model.name: model for model in shown}


def _refresh_rejected(
    connection: duckdb.DuckDBPyConnection, name: str, tables: Sequence[str]
) -> None:
    """Copy what the staging tables of an entity or reference table rejected into the ledger."""
    rejected = "\nunion all\n".join(
        f"select id, unnest(rejected) as r from {table} where rejected is not null"
        for table in tables
    )
    connection.execute(
        f"""
        delete from ops.rejected_values where entity = {quote_literal(name)};

        insert into ops.rejected_values (entity, id, column_name, value, reason)
        select {quote_literal(name)}, id::varchar, r.column_name, r.value, r.reason
        from ({rejected})
        order by id, r.column_name
        """
    )


def _tombstones_changed(connection: duckdb.DuckDBPyConnection, now: datetime) -> bool:
    """Whether crm, which reads the tombstones as they are, shows others than last time."""
    rows = connection.execute(
        "select entity, id, reason, epoch_us(deleted_time), merged_into_id, converted_deal_id,"
        " converted_lead_id"
        " from ops.tombstones order by all"
    ).fetchall()
    fingerprint = hashlib.sha256(repr(rows).encode()).hexdigest()[:32]
    last = connection.execute(
        "select fingerprint from ops.models where name = 'ops.tombstones'"
    ).fetchone()
    if last == (fingerprint,):
        return False
    connection.execute("delete from ops.models where name = 'ops.tombstones'")
    connection.execute(
        "insert into ops.models (name, fingerprint, rows, built_time)"
        " values ('ops.tombstones', $fingerprint, $rows, $now)",
        {"fingerprint": fingerprint, "rows": len(rows), "now": now},
    )
    return bool(rows) or last is not None


def _given_relations(connection: duckdb.DuckDBPyConnection) -> set[str]:
    rows = connection.execute(
        "select schema_name || '.' || table_name from duckdb_tables()"
        " where database_name = current_database() and schema_name in ('raw', 'ops')"
    ).fetchall()
    return {name for (name,) in rows}


def _newest_load_ids(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The last load that wrote each raw table models read; tables without rows are left out."""
    query = "\nunion all\n".join(
        f"select 'raw.{table.name}', max(_dlt_load_id) from raw.{table.name}"
        for table in RAW_TABLES
    )
    return {name: load_id for name, load_id in connection.execute(query).fetchall() if load_id}


_FIELD_TYPES = Model(
    "staging.field_types",
    generate.field_types_sql(),
    "view",
    "One row per type of custom field, with the SQL type of its main column.",
)

_INTERNAL = ("payload", "rejected", "record", "custom", "names")
"""Names the models use for themselves."""


def _reserved(models: Mapping[str, Model], entity: Entity) -> set[str]:
    """The names no custom column of an entity may have."""
    return {*models[f"crm.{entity}"].columns, *HISTORY_COLUMNS, *_INTERNAL}


_REJECTING: dict[str, tuple[str, ...]] = {
    **{e: (f"staging.{e}", f"staging.{e}_custom_fields") for e in ENTITIES},
    **{
        name: (f"staging.{name}",)
        for name in ("users", "currencies", "lead_labels", "pipelines", "stages")
    },
}
"""The staging tables that have a column `rejected`."""


def _decoded_up_to(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    """The newest load a model has taken in; empty when it was never built."""
    row = connection.execute(
        "select coalesce(load_id, '') from ops.models where name = $name", {"name": name}
    ).fetchone()
    return str(row[0]) if row else ""


def _scalar(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
