"""SQL for an entity's custom fields: a table with their typed values, and a view with the names.

The only place where SQL is written by a program. It reads like the models in `transforms/sql`,
is the same for the same definitions, and decodes each record once.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence

from transforms.custom_fields.definitions import Entity
from transforms.custom_fields.field_types import (
    FIELD_TYPES,
    ID_SUFFIXES,
    SQL_TYPES,
    field_type,
    parts,
)
from transforms.custom_fields.options import KnownOption
from transforms.custom_fields.registry import CustomColumn, layout
from transforms.custom_fields.shapes import Shapes
from transforms.custom_fields.values import Value, values_of
from warehouse.quoting import quote_identifier as name
from warehouse.quoting import quote_literal as literal

RECORDS: dict[Entity, str] = {
    "leads": "staging.lead_records",
    "persons": "raw.persons",
    "organizations": "raw.organizations",
    "deals": "staging.deal_records",
}
"""Where the records of each entity are."""

_NOTHING_REJECTED = "null::struct(column_name varchar, value varchar, reason varchar)[] as rejected"


def custom_fields_sql(
    entity: Entity,
    columns: Sequence[CustomColumn],
    options: Sequence[KnownOption],
    shapes: Shapes,
    retired: Collection[str] = (),
) -> str:
    """`staging.<entity>_custom_fields`: one row per record, every custom field typed.

    Of the fields whose keys are in `retired`, a record without a value of its own shows the one it
    had when the field was deleted.
    """
    if not columns:
        return _no_custom_fields_sql(entity)
    by_field = {column.key: values_of(column, shapes) for column in columns}
    values = [value for found in by_field.values() for value in found]
    kept = {key: found for key, found in by_field.items() if key in retired}
    texts = ",\n".join(f"        {v.text} as {v.sent}" for v in values)
    typed = ",\n".join(
        f"        {_kept(v, key, found) if key in kept else v.typed} as {name(v.column)}"
        for key, found in by_field.items()
        for v in found
    )
    shown = "\n\n".join(_shown_columns(c, by_field[c.key], options) for c in columns)
    record = f"from_json(payload, {literal(_structure(columns, shapes))}) as record"
    return f"""\
{_source(entity, record, kept)},

-- one shape: v2 has custom fields nested, v1 has them flat
texts as (
    select
        id,
        payload,
{"        retired," + chr(10) if kept else ""}{texts}
    from source
),

typed as (
    select
        *,
{typed}
    from texts
)

select
    id,

{shown}

{_rejected(values, shapes)}
from typed
"""


def custom_columns_sql(entity: Entity, columns: Sequence[CustomColumn]) -> str:
    """`staging.<entity>_custom_columns`: the table above with names of references and aliases.

    Names are looked up beside the wide table and joined to it once: carrying a hundred columns
    through a join for each reference takes ten times as long.
    """
    aliases = layout(columns)
    table = f"staging.{entity}_custom_fields"
    sources: dict[str, str] = {}
    found: list[str] = []
    joins: list[str] = []
    for column in columns:
        for shown in column.names():
            sources[shown] = f"custom.{name(shown)}"
        kind = field_type(column.field_type)
        if kind.references:
            main = column.column_name
            target = f"{kind.references}_{len(joins) + 1}"
            reference = f"custom.{name(main + ID_SUFFIXES['reference'][0])}"
            joins.append(
                f"    left join staging.{kind.references} as {target} on {target}.id = {reference}"
            )
            found.append(f"        {target}.name as {name(main)}")
            sources[main] = f"names.{name(main)}"
    selected = ["    custom.id"]
    selected += [f"    {sources[shown]}" for column in columns for shown in column.names()]
    selected += [
        f"    {sources[shown]} as {name(alias)}"
        for column in columns
        for alias, shown in aliases[column.key]
    ]
    names = ""
    if joins:
        names = "with names as (\n    select\n        custom.id,\n"
        names += ",\n".join(found) + f"\n    from {table} as custom\n"
        names += "\n".join(joins) + "\n)\n\n"
    return (
        f"{names}select\n"
        + ",\n".join(selected)
        + f"\nfrom {table} as custom\n"
        + ("left join names on names.id = custom.id\n" if joins else "")
    )


def field_types_sql() -> str:
    """`staging.field_types`: one row per known type, with the SQL type of its main column."""
    rows = ",\n".join(
        f"        ({literal(field_type)}, {literal(SQL_TYPES[known.kind])})"
        for field_type, known in FIELD_TYPES.items()
    )
    return f"select *\nfrom (\n    values\n{rows}\n) as types (field_type, sql_type)\n"


def column_comments(columns: Sequence[CustomColumn]) -> dict[str, str]:
    """What `COMMENT ON COLUMN` says: the label in Pipedrive, or what an alias is an alias of."""
    comments: dict[str, str] = {}
    for column in columns:
        for shown, suffix in zip(column.names(), column.suffixes, strict=True):
            part = suffix.removeprefix("_").replace("_", " ")
            comments[shown] = f"{column.label} ({part})" if part else column.label
    aliases = layout(columns)
    for column in columns:
        for alias, shown in aliases[column.key]:
            comments[alias] = f"Earlier name of {shown}"
    return comments


def _source(entity: Entity, record: str, kept: Mapping[str, Sequence[Value]]) -> str:
    """The CTEs that decode the records, with the values of deleted fields where some are kept."""
    if not kept:
        return f"""\
with source as (
    select
        id,
        payload,
        {record}
    from {RECORDS[entity]}
    where _dlt_load_id > $since
)"""
    members = {key: {v.part: v.retired_type for v in found} for key, found in kept.items()}
    structure = f"{{\n{_members(members, 12)}\n        }}"
    return f"""\
-- what records had in fields that were deleted since
with retired as (
    select id, json_group_object(key, value) as fields
    from ops.retired_values
    where entity = {literal(entity)}
        and id in (select id::varchar from {RECORDS[entity]} where _dlt_load_id > $since)
    group by id
),

source as (
    select
        records.id,
        payload,
        {record},
        from_json(retired.fields, {literal(structure)}) as retired
    from {RECORDS[entity]} as records
    left join retired on retired.id = records.id::varchar
    where _dlt_load_id > $since
)"""


def _kept(value: Value, key: str, found: Sequence[Value]) -> str:
    """SQL of a value of a deleted field: the record's own if it has any part of it."""
    is_gone = " and ".join(f"{v.sent} is null" for v in found)
    retired = f"retired.{name(key)}.{name(value.part)}"
    return f"case when {is_gone} then {retired} else {value.typed} end"


def _structure(columns: Sequence[CustomColumn], shapes: Shapes) -> str:
    """The struct `from_json` decodes a record into: v2's nested fields, then v1's flat ones."""
    nested: dict[str, object] = {}
    flat: dict[str, object] = {}
    for column in columns:
        kind = field_type(column.field_type).kind
        leaf = "JSON" if kind == "json" else "VARCHAR"
        found = parts(column.field_type, column.subfields)
        leaves = {part.name: "JSON" if part.kind == "json" else "VARCHAR" for part in found}
        is_nested = bool(found) and kind != "json"
        nested[column.key] = {"value": leaf, **leaves} if is_nested else leaf
        flat[column.key] = leaf
        flat.update({f"{column.key}_{part}": part_leaf for part, part_leaf in leaves.items()})
    members = []
    if shapes.nested:
        members.append(f'    "custom_fields": {{\n{_members(nested, 8)}\n    }}')
    if shapes.flat:
        members.append(_members(flat, 4))
    lines = ["{", ",\n".join(members), "}"]
    return "\n".join(
        line if i == 0 else f"        {line}" for i, line in enumerate("\n".join(lines).split("\n"))
    )


def _members(members: Mapping[str, object], indent: int) -> str:
    return ",\n".join(f"{' ' * indent}{json.dumps(k)}: {json.dumps(v)}" for k, v in members.items())


def _shown_columns(
    column: CustomColumn, values: Sequence[Value], options: Sequence[KnownOption]
) -> str:
    """The final columns of a field, under a comment with its label."""
    kind = field_type(column.field_type).kind
    lines = [f"    -- {_one_line(column.label)} ({_one_line(column.field_type)})"]
    if kind == "option":
        labels = f"option_label({_labels_map(column, options)}, {name(values[0].column)})"
        lines.append(f"    {labels} as {name(column.column_name)},")
    elif kind == "options":
        labels = f"list_transform({name(values[0].column)}, {_labels_lambda(column, options)})"
        lines.append(f"    {labels} as {name(column.column_name)},")
    lines += [f"    {name(value.column)}," for value in values]
    return "\n".join(lines)


def _labels_map(column: CustomColumn, options: Sequence[KnownOption]) -> str:
    """The options of a field as a MAP from id to label."""
    pairs = [f"{id}: {label}" for id, label in _id_labels(column, options)]
    return f"map {{{', '.join(pairs)}}}"


def _labels_lambda(column: CustomColumn, options: Sequence[KnownOption]) -> str:
    """The same as a lambda: in a list, a MAP is twenty times slower than a CASE."""
    cases = [f"when {id} then {label}" for id, label in _id_labels(column, options)]
    if not cases:
        return "lambda id: 'unknown option ' || id"
    return f"lambda id: case id {' '.join(cases)} else 'unknown option ' || id end"


def _id_labels(column: CustomColumn, options: Sequence[KnownOption]) -> list[tuple[str, str]]:
    return list(
        {
            str(int(option.option_id)): literal(option.label)
            for option in options
            if option.key == column.key
            and option.option_id.isascii()
            and option.option_id.isdigit()
        }.items()
    )


def _rejected(values: Sequence[Value], shapes: Shapes) -> str:
    """The column of what did not fit, built only for rows where something did not."""
    checked = [v for v in values if v.kind != "json"]
    guards, calls = _guards(checked), _rejections(checked)
    if shapes.nested:
        guards.append("misplaced_text(payload) is not null")
        calls.append("misplacement(payload)")
    if not calls:
        return f"    {_NOTHING_REJECTED}"
    return (
        "    case\n        when "
        + "\n            or ".join(guards)
        + "\n        then rejections([\n"
        + ",\n".join(f"            {call}" for call in calls)
        + "\n        ])\n    end as rejected"
    )


def _guards(values: Sequence[Value]) -> list[str]:
    guards = []
    for value in values:
        guards.append(f"is_suspect({value.sent}, {name(value.column)})")
        if value.kind == "money":
            guards.append(f"is_rounded({value.sent}, {name(value.column)})")
    return guards


def _rejections(values: Sequence[Value]) -> list[str]:
    calls = []
    for value in values:
        shown = literal(value.column)
        pair = f"{value.sent}, {name(value.column)}"
        kind = "list of BIGINT" if value.kind == "options" else value.sql_type
        calls.append(f"rejection({shown}, {pair}, {literal(f'not a {kind}')})")
        if value.kind == "money":
            calls.append(f"rounding({shown}, {pair})")
    return calls


def _no_custom_fields_sql(entity: Entity) -> str:
    return f"""\
select
    id,
    {_NOTHING_REJECTED}
from {RECORDS[entity]}
where _dlt_load_id > $since
"""


def _one_line(text: str) -> str:
    """A label as a SQL comment holds it: what a line cannot show becomes a space."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
