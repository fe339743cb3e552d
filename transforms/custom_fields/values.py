"""The values of a custom field: where a record holds them in either shape, and their types.

A field that is deleted in Pipedrive vanishes from its records; its last values are then kept by
`retired` and read from there.
"""

from __future__ import annotations

from dataclasses import dataclass

from transforms.custom_fields.field_types import (
    ID_SUFFIXES,
    SQL_TYPES,
    Kind,
    field_type,
    parts,
)
from transforms.custom_fields.registry import CustomColumn
from transforms.custom_fields.shapes import Shapes
from warehouse.quoting import quote_identifier as name
from warehouse.quoting import quote_literal as literal

MAIN = "value"
"""The part of a field's main value; those of its companions are their suffixes, as in `_until`."""

_CASTS: dict[Kind, str] = {
    "number": "as_number",
    "money": "as_money",
    "date": "as_date",
    "time": "as_time",
    "option": "as_id",
    "options": "as_ids",
    "reference": "as_id",
}


_RETIRED: dict[Kind, str | list[str]] = {
    "number": "DOUBLE",
    "money": SQL_TYPES["money"],
    "date": "DATE",
    "time": "TIME",
    "option": "BIGINT",
    "options": ["BIGINT"],
    "reference": "BIGINT",
    "json": "JSON",
}


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a record: where it is, the column it is typed into, and how."""

    column: str  # the typed column: cf_x, or cf_x_id where cf_x shows a name
    part: str  # what sets it apart within its field, as ops.retired_values names it
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

    @property
    def retired_type(self) -> str | list[str]:
        """How `from_json` decodes the value after its field was deleted."""
        return _RETIRED.get(self.kind, "VARCHAR")

    @property
    def retired_json(self) -> str:
        """SQL of what is kept then: money as text, because a JSON number has no exact cents."""
        column = name(self.column)
        return f"{column}::varchar" if self.kind == "money" else column


def values_of(column: CustomColumn, shapes: Shapes) -> list[Value]:
    """The values of a field, main one first, as they stand in a record."""
    kind = field_type(column.field_type).kind
    key = column.key
    nested, flat = f"record.custom_fields.{name(key)}", f"record.{name(key)}"
    at_nested, at_flat = f"/custom_fields/{pointer_step(key)}", f"/{pointer_step(key)}"
    found = parts(column.field_type, column.subfields)
    main_column = column.column_name
    if kind in ID_SUFFIXES:
        main_column += ID_SUFFIXES[kind][0]
    pointers: tuple[str, ...] = (at_nested, at_flat)
    if found and kind != "json" and shapes.nested:
        else_flat = flat if shapes.flat else "null"
        keys = ", ".join(literal(key) for key in ("value", *(part.name for part in found)))
        text = f"value_text({nested}, {else_flat}, payload, {literal(at_nested)}, [{keys}])"
        pointers = (f"{at_nested}/value", *pointers)
    else:
        text = _either(nested, flat, shapes)
    if kind in ("option", "reference"):
        text = f"reference_text({text})"
    if kind == "options":
        text = f"nullif({text}, '[]')"  # v1 has no empty set, so there is none
    values = [Value(main_column, MAIN, kind, text, pointers)]
    for part in found:
        flat_name = f"{key}_{part.name}"
        nested_part = f"{nested}.{name(part.name)}"
        if kind == "json":
            nested_part = f"{nested} -> {literal('/' + pointer_step(part.name))}"
        part_text = _either(nested_part, f"record.{name(flat_name)}", shapes)
        values.append(
            Value(
                column.column_name + part.suffix,
                part.suffix,
                part.kind,
                part_text,
                (f"{at_nested}/{pointer_step(part.name)}", f"/{pointer_step(flat_name)}"),
            )
        )
    return values


def _either(nested: str, flat: str, shapes: Shapes) -> str:
    """The text of a value in whichever shapes there are."""
    if shapes.nested and shapes.flat:
        return f"coalesce({nested}, {flat})"
    return nested if shapes.nested else flat


def pointer_step(key: str) -> str:
    """A key as a step of a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1")
