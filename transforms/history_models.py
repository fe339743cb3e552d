"""The models behind `crm.<entity>_history`: the entity's own ones, reading versions for records.

A version takes the place of a record in them, and its number that of the record's id; names of
users, organizations and options stay those of today.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from transforms.custom_fields.definitions import Entity
from transforms.custom_fields.generate import RECORDS
from transforms.custom_fields.registry import CustomColumn
from transforms.models import Model
from warehouse.quoting import quote_identifier as name
from warehouse.quoting import quote_literal as literal

HISTORY_COLUMNS: Mapping[str, str] = {
    "version": "Number of the version within the record's history, from 1",
    "valid_from": "Since when the record was like this",
    "valid_to": "Until when, not included; NULL: it still is",
    "is_current": "Whether it is the newest version",
    "changed_columns": "The columns that differ from the version before; NULL for the first",
}
"""The columns a history has beside those of its entity, with their descriptions."""

_NO_CHANGE = frozenset({"id", "update_time"})

_NOT_ALWAYS_SENT: Mapping[str, frozenset[str]] = {
    "persons": frozenset({"first_name", "last_name", "cc_email"}),
    "organizations": frozenset(
        {"website", "linkedin", "industry", "annual_revenue", "employee_count", "cc_email"}
    ),
}
"""Columns that only one of v2 and collection sends; `cf_*_timezone` likewise."""

_TOKEN = re.compile(
    r"""--[^\n]* | '(?:[^']|'')*' | "(?:[^"]|"")*" | (?<![\w.])(?:raw|staging|crm|ops)\.\w+""",
    re.VERBOSE,
)


def history_name(entity: Entity) -> str:
    """The public table: `crm.lead_history`."""
    return f"crm.{_one(entity)}_history"


def records_name(entity: Entity) -> str:
    """The view of versions as records, which the other models are built on."""
    return f"staging.{_one(entity)}_version_records"


def history_models(
    entity: Entity,
    own: Mapping[str, Model],
    custom: Sequence[Model],
    columns: Sequence[CustomColumn],
) -> tuple[Model, ...]:
    """The models of an entity's history, by what they read.

    `own` holds the entity's models; `custom` its two generated ones (typed, then with names), made
    for the shapes versions have and without aliases; `columns` its custom fields.
    """
    stem = f"staging.{_one(entity)}_version"
    each = f"One row per version of {entity}"
    records, changes = records_name(entity), f"{stem}_changes"
    tombstones, retired = f"{stem}_tombstones", f"{stem}_retired_values"
    typed, custom_typed, custom_named = (
        f"{stem}s",
        f"{stem}_custom_fields",
        f"{stem}_custom_columns",
    )
    custom_fields, custom_columns = custom
    public = own[f"crm.{entity}"]
    reading = {RECORDS[entity]: records, "ops.retired_values": retired}
    naming = {custom_fields.name: custom_typed}
    showing = {
        f"staging.{entity}": typed,
        custom_columns.name: custom_named,
        "ops.tombstones": tombstones,
    }
    comparing = showing | {f"staging.{entity}": "both_typed", custom_columns.name: "both_named"}
    changes_sql = _changes_sql(
        entity,
        typed,
        custom_typed,
        replace_relations(custom_columns.sql, {custom_fields.name: "both_custom_typed"}),
        replace_relations(public.sql, comparing),
        [*public.columns, *(shown for column in columns for shown in column.names())],
    )
    history_sql = _history_sql(entity, changes, f"{stem}_states")
    return (
        Model(records, _records_sql(entity), "view", f"{each}, as received."),
        Model(tombstones, _tombstones_sql(entity), "view", f"{each} that was gone."),
        Model(retired, _retired_sql(entity), "view", f"{each} and value that went with its field."),
        _instance(own[f"staging.{entity}"], typed, reading, f"{each}, typed."),
        _instance(custom_fields, custom_typed, reading, f"{each}, with its custom fields typed."),
        _instance(custom_columns, custom_named, naming, f"{each}: custom fields with names."),
        _instance(public, f"{stem}_states", showing, f"{each}, as crm.{entity} shows records."),
        Model(changes, changes_sql, "view", f"{each} but the first of a record: what it changed."),
        Model(
            history_name(entity),
            history_sql,
            "view",
            f"One row per version of a record of {entity}: what it was from when until when.",
            {"id": public.columns["id"], **HISTORY_COLUMNS, **public.columns},
        ),
    )


def replace_relations(sql: str, relations: Mapping[str, str]) -> str:
    """SQL that reads the relations named on the right for those on the left.

    Only names in code are replaced: not in comments, text or quoted names, which hold what people
    called their fields.
    """
    return _TOKEN.sub(lambda found: relations.get(found[0], found[0]), sql)


def _one(entity: Entity) -> str:
    return entity.removesuffix("s")


def _instance(model: Model, new_name: str, relations: Mapping[str, str], each: str) -> Model:
    """The model again under another name, reading other relations."""
    return Model(new_name, replace_relations(model.sql, relations), model.materialized, each)


def _records_sql(entity: Entity) -> str:
    return f"""\
select version as id, payload, api, read_time, is_archived, _dlt_load_id
from ops.versions
where entity = {literal(entity)}
"""


def _tombstones_sql(entity: Entity) -> str:
    return f"""\
select
    entity,
    version as id,
    reason,
    deleted_time,
    merged_into_id,
    converted_deal_id,
    converted_lead_id
from ops.versions
where entity = {literal(entity)} and reason is not null
"""


def _retired_sql(entity: Entity) -> str:
    """Values of deleted fields for the versions that come after the last one with its own value."""
    return f"""\
with retired as (
    select id, key, value
    from ops.retired_values
    where entity = {literal(entity)}
),

versions as (
    select
        retired.*,
        versions.version,
        max(versions.version) filter (
            (payload ->> ('/custom_fields/' || key)) is not null
            or (payload ->> ('/' || key)) is not null
        ) over (partition by retired.id, retired.key) as last_own
    from retired
    join ops.versions as versions on versions.id = retired.id
    where versions.entity = {literal(entity)}
)

select {literal(entity)} as entity, version::varchar as id, key, value
from versions
where version > coalesce(last_own, 0)
"""


def _changes_sql(
    entity: Entity,
    typed: str,
    custom_typed: str,
    named_sql: str,
    public_sql: str,
    columns: Sequence[str],
) -> str:
    """What differs between a version and the one before, in the columns people see.

    Few records have two versions, so only those pass through the wide joins.
    """
    differences = ",\n".join(
        f"        case when {_differs(entity, column)} then {literal(column)} end"
        for column in columns
        if column not in _NO_CHANGE
    )
    return f"""\
with versions as (
    select
        version,
        api,
        lag(version) over one_record as before_version,
        lag(api) over one_record as before_api
    from ops.versions
    where entity = {literal(entity)}
    window one_record as (partition by id order by version)
),

pairs as (
    select * from versions where before_version is not null
),

both_ids as (
    select version as id from pairs
    union
    select before_version from pairs
),

both_typed as (
    select * from {typed} where id in (select id from both_ids)
),

both_custom_typed as (
    select * from {custom_typed} where id in (select id from both_ids)
),

both_named as (
{named_sql}),

states as (
{public_sql})

select
    pairs.version,
    list_filter([
{differences}
    ], lambda c: c is not null) as changed_columns
from pairs
join states as after on after.id = pairs.version
join states as before on before.id = pairs.before_version
"""


def _differs(entity: Entity, column: str) -> str:
    """SQL that tells whether a column differs in the version after."""
    after, before = f"after.{name(column)}", f"before.{name(column)}"
    differs = f"{after} is distinct from {before}"
    if column in _NOT_ALWAYS_SENT.get(entity, ()) or column.endswith("_timezone"):
        differs = f"{differs} and (pairs.api = pairs.before_api or {after} <> {before})"
    return differs


def _history_sql(entity: Entity, changes: str, states: str) -> str:
    """Versions that differ in no column are one; it is shown as its newest copy has it."""
    id_type = "varchar" if entity == "leads" else "bigint"
    return f"""\
with numbered as (
    select
        versions.id::{id_type} as id,
        versions.version,
        versions.valid_from,
        changes.changed_columns,
        count(*) filter (changes.version is null or len(changes.changed_columns) > 0) over (
            partition by versions.id order by versions.version
        ) as number
    from ops.versions as versions
    left join {changes} as changes on changes.version = versions.version
    where versions.entity = {literal(entity)}
),

shown as (
    select
        id,
        number,
        max(version) as newest_copy,
        arg_min(valid_from, version) as valid_from,
        arg_min_null(changed_columns, version) as changed_columns
    from numbered
    group by id, number
),

intervals as (
    select
        *,
        lead(valid_from) over (partition by id order by number) as valid_to
    from shown
)

select
    intervals.id,
    intervals.number as version,
    intervals.valid_from,
    intervals.valid_to,
    intervals.valid_to is null as is_current,
    intervals.changed_columns,
    states.* exclude (id)
from {states} as states
join intervals on intervals.newest_copy = states.id
"""
