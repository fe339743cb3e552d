"""SQL for an entity's custom fields: a table with their typed values, and a view with the names.

The only place where SQL is written by a program. It reads like the models in `transforms/sql`,
is the same for the same definitions, and decodes each record once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from transforms.custom_fields.definitions import Entity
from transforms.custom_fields.field_types import (
    FIELD_TYPES,
    ID_SUFFIXES,
    SQL_TYPES,
    Kind,
    field_type,
    parts,
)
from transforms.custom_fields.options import KnownOption
from transforms.custom_fields.registry import CustomColumn, layout
from transforms.custom_fields.shapes import Shapes
from warehouse.quoting import quote_identifier as name
from warehouse.quoting import quote_literal as literal

RECORDS: dict[Entity, str] = {
    "leads": "staging.lead_records",
    "persons": "raw.persons",
    "organizations": "raw.organizations",
}
"""Where the records of each entity are."""

_NOTHING_REJECTED = "null::struct(column_name varchar, value varchar, reason varchar)[] as rejected"

_CASTS: dict[Kind, str] = {
    "number": "as_number",
    "money": "as_money",
    "date": "as_date",
    "time": "as_time",
    "option": "as_id",
    "options": "as_ids",
    "reference": "as_id",
}


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a record: where it is, the column it is typed into, and how."""

    column: str  # the typed column: cf_x, or cf_x_id where cf_x shows a name
    kind: Kind
    text: str  # SQL of its text in either shape
    pointers: tuple[str, ...]  # where in the record, for as_text

    @property
    def sent(self) -> str:
        """The column of its text, before it is typed."""
        return name(f"{self.column} as sent")

    @property
    def typed(self) -> str:
        """SQL of the typed value."""
        text = self.sent
        if self.kind == "json":
            return text
        if self.kind in _CASTS:
            return f"{_CASTS[self.kind]}({text})"
        pointers = ", ".join(literal(pointer) for pointer in self.pointers)
        return f"as_text({text}, payload, [{pointers}])"

    @property
    def sql_type(self) -> str:
        """The SQL type of the typed column."""
        return ID_SUFFIXES[self.kind][1] if self.kind in ID_SUFFIXES else SQL_TYPES[self.kind]


def custom_fields_sql(
    entity: Entity,
    columns: Sequence[CustomColumn],
    options: Sequence[KnownOption],
    shapes: Shapes,
) -> str:
    """`staging.<entity>_custom_fields`: one row per record, every custom field typed."""
    if not columns:
        return _no_custom_fields_sql(entity)
    by_field = {column.key: _values(column, shapes) for column in columns}
    values = [value for found in by_field.values() for value in found]
    texts = ",\n".join(f"        {v.text} as {v.sent}" for v in values)
    typed = ",\n".join(f"        {v.typed} as {name(v.column)}" for v in values)
    shown = "\n\n".join(_shown_columns(c, by_field[c.key], options) for c in columns)
    checked = [v for v in values if v.kind != "json"]
    guards = "\n            or ".join(_guards(checked))
    rejections = ",\n".join(f"            {r}" for r in _rejections(checked))
    if checked:
        rejected = (
            "    case\n"
            f"        when {guards}\n"
            f"        then rejections([\n{rejections}\n        ])\n"
            "    end as rejected"
        )
    else:
        rejected = f"    {_NOTHING_REJECTED}"
    return f"""\
with source as (
    select
        id,
        payload,
        from_json(payload, {literal(_structure(columns, shapes))}) as record
    from {RECORDS[entity]}
    where _dlt_load_id > $since
),

-- one shape: v2 has custom fields nested, v1 has them flat
texts as (
    select
        id,
        payload,
{texts}
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

{rejected}
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


def _values(column: CustomColumn, shapes: Shapes) -> list[Value]:
    """The values of a field, main one first, as they stand in a record."""
    kind = field_type(column.field_type).kind
    key = column.key
    nested, flat = f"record.custom_fields.{name(key)}", f"record.{name(key)}"
    at_nested, at_flat = f"/custom_fields/{_pointer(key)}", f"/{_pointer(key)}"
    found = parts(column.field_type, column.subfields)
    main_column = column.column_name
    if kind in ID_SUFFIXES:
        main_column += ID_SUFFIXES[kind][0]
    pointers: tuple[str, ...] = (at_nested, at_flat)
    if found and kind != "json" and shapes.nested:
        else_flat = flat if shapes.flat else "null"
        text = f"value_text({nested}, {else_flat}, payload, {literal(at_nested)})"
        pointers = (f"{at_nested}/value", *pointers)
    else:
        text = _either(nested, flat, shapes)
    if kind in ("option", "reference"):
        text = f"reference_text({text})"
    if kind == "options":
        text = f"nullif({text}, '[]')"  # v1 has no empty set, so there is none
    values = [Value(main_column, kind, text, pointers)]
    for part in found:
        flat_name = f"{key}_{part.name}"
        nested_part = f"{nested}.{name(part.name)}"
        if kind == "json":
            nested_part = f"{nested} -> {literal('/' + _pointer(part.name))}"
        part_text = _either(nested_part, f"record.{name(flat_name)}", shapes)
        values.append(
            Value(
                column.column_name + part.suffix,
                part.kind,
                part_text,
                (f"{at_nested}/{_pointer(part.name)}", f"/{_pointer(flat_name)}"),
            )
        )
    return values


def _either(nested: str, flat: str, shapes: Shapes) -> str:
    """The text of a value in whichever shapes there are."""
    if shapes.nested and shapes.flat:
        return f"coalesce({nested}, {flat})"
    return nested if shapes.nested else flat


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


def _pointer(key: str) -> str:
    """A key as a step of a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def _one_line(text: str) -> str:
    """A label as a SQL comment holds it: what a line cannot show becomes a space."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
