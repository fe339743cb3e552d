"""The type table: which columns a custom field of a given type has (design section 4)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "text", "number", "money", "date", "time", "option", "options", "reference", "address", "json"
]

ADDRESS_PARTS = (
    "street_number",
    "route",
    "sublocality",
    "locality",
    "admin_area_level_1",
    "admin_area_level_2",
    "country",
    "postal_code",
    "subpremise",
    "formatted_address",
)


@dataclass(frozen=True, slots=True)
class Part:
    """A companion column fed by its own key: `<hash>_<name>` in v1, `<hash>.<name>` in v2."""

    name: str
    suffix: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class FieldType:
    """How the value of one field type is read and typed, and what stands beside it."""

    kind: Kind
    parts: tuple[Part, ...] = ()
    ignored_parts: tuple[str, ...] = ()
    references: str = ""


_TEXT = FieldType("text")
_NUMBER = FieldType("number")
_UNTIL_DATE = Part("until", "_until", "date")
_UNTIL_TIME = Part("until", "_until", "time")
_TIMEZONE = Part("timezone_name", "_timezone", "text")

FIELD_TYPES: dict[str, FieldType] = {
    "varchar": _TEXT,
    "varchar_auto": _TEXT,
    "text": _TEXT,
    "phone": _TEXT,
    "double": _NUMBER,
    "int": _NUMBER,
    "monetary": FieldType("money", (Part("currency", "_currency", "text"),)),
    "date": FieldType("date"),
    "daterange": FieldType("date", (_UNTIL_DATE,)),
    # no API maps a timezone_id to a name, so the id stays in raw
    "time": FieldType("time", (_TIMEZONE,), ("timezone_id",)),
    "timerange": FieldType("time", (_UNTIL_TIME, _TIMEZONE), ("timezone_id",)),
    "enum": FieldType("option"),
    "set": FieldType("options"),
    "user": FieldType("reference", references="users"),
    "people": FieldType("reference", references="persons"),
    "org": FieldType("reference", references="organizations"),
    "address": FieldType("address", tuple(Part(p, f"_{p}", "text") for p in ADDRESS_PARTS)),
}

UNKNOWN = FieldType("json")

SQL_TYPES: dict[Kind, str] = {
    "text": "VARCHAR",
    "number": "DOUBLE",
    "money": "DECIMAL(18,4)",
    "date": "DATE",
    "time": "TIME",
    "option": "VARCHAR",
    "options": "VARCHAR[]",
    "reference": "VARCHAR",
    "address": "VARCHAR",
    "json": "JSON",
}
"""The SQL type of a field's main column, or of a part's column."""

ID_SUFFIXES: dict[Kind, tuple[str, str]] = {
    "option": ("_id", "BIGINT"),
    "options": ("_ids", "BIGINT[]"),
    "reference": ("_id", "BIGINT"),
}
"""The companion that holds the ids of what the main column shows by name."""


def field_type(name: str) -> FieldType:
    """The row of the type table for Pipedrive's `field_type`; an unknown one is kept as JSON."""
    return FIELD_TYPES.get(name, UNKNOWN)


def parts(name: str, subfields: tuple[str, ...]) -> tuple[Part, ...]:
    """The known parts of a field type, then those only the definitions name, kept as JSON."""
    known = field_type(name)
    names = {part.name for part in known.parts} | set(known.ignored_parts)
    extra: list[Part] = []
    taken = set(companion_suffixes(name))
    for subfield in sorted(set(subfields) - names):
        suffix = "_" + re.sub(r"[^a-z0-9]+", "_", subfield.lower()).strip("_")
        while suffix in taken:
            suffix += "_json"
        taken.add(suffix)
        extra.append(Part(subfield, suffix, "json"))
    return known.parts + tuple(extra)


def companion_suffixes(name: str) -> tuple[str, ...]:
    """The suffixes a field type has by itself."""
    known = field_type(name)
    ids = (ID_SUFFIXES[known.kind][0],) if known.kind in ID_SUFFIXES else ()
    return ids + tuple(part.suffix for part in known.parts)


def suffixes(name: str, subfields: tuple[str, ...]) -> tuple[str, ...]:
    """The suffixes of all columns of a field: `''` for the main one, then its companions."""
    known = field_type(name)
    ids = (ID_SUFFIXES[known.kind][0],) if known.kind in ID_SUFFIXES else ()
    return ("", *ids, *(part.suffix for part in parts(name, subfields)))
