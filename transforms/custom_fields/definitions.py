"""Custom field definitions as raw holds them, in one shape for v1 and v2.

v1 calls a field's hash `key` and its label `name`, lists subfields (`<hash>_currency`) as rows of
their own and keeps deleted options; v2 says `field_code`, `field_name` and nests subfields.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import duckdb

Entity = Literal["leads", "persons", "organizations", "deals"]

ENTITIES: tuple[Entity, ...] = get_args(Entity)

LABELS_KEY = "label_ids"
"""The built-in field whose options are the labels of all but leads, which have a list of them."""

_LISTINGS: dict[Entity, tuple[str, ...]] = {
    "leads": ("deal_fields", "lead_fields"),  # leads use the custom fields of deals
    "persons": ("person_fields",),
    "organizations": ("organization_fields",),
    "deals": ("deal_fields",),
}

_HASH = re.compile(r"[0-9a-f]{40}")
_SUBFIELD = re.compile(r"([0-9a-f]{40})_(.+)")


@dataclass(frozen=True, slots=True)
class Option:
    """One option of an enum, a set, or the labels. `id` is text: built-in ids may be words."""

    id: str
    label: str
    color: str | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """One custom field, as the newest listing shows it."""

    key: str
    label: str
    field_type: str
    position: int
    is_active: bool = True
    subfields: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    deleted_options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class Definitions:
    """What an entity's newest listings say: its custom fields in order, and its labels.

    Leads have no labels here: those in the definitions they share are the labels of deals.
    """

    fields: tuple[Definition, ...] = ()
    labels: tuple[Option, ...] = field(default=())


def read_definitions(connection: duckdb.DuckDBPyConnection, entity: Entity) -> Definitions | None:
    """The custom fields of `entity` in listing order; None when no listing was ever loaded.

    None also for deals where none was ever loaded: their definitions come along with leads, and
    whoever loads leads alone wants no dictionary of deals.
    """
    if entity == "deals" and not has_deals(connection):
        return None
    fields: dict[str, Definition] = {}
    labels: tuple[Option, ...] = ()
    is_loaded = False
    for table in _LISTINGS[entity]:
        records = _newest_listing(connection, table)
        is_loaded = is_loaded or bool(records)
        subfields = _subfields(records)
        for record in records:
            key = _text(record.get("key", record.get("field_code")))
            if table == "lead_fields" and not _HASH.fullmatch(key):
                continue
            if _is_custom(record, key) and key not in fields:
                fields[key] = _definition(record, key, len(fields), subfields.get(key, ()))
        if entity != "leads":
            labels = labels or _labels(records)
    return Definitions(tuple(fields.values()), labels) if is_loaded else None


def has_deals(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether any deal is loaded. The raw tables are there."""
    query = "select exists(from raw.deals) or exists(from raw.archived_deals)"
    return connection.execute(query).fetchone() == (True,)


def _newest_listing(connection: duckdb.DuckDBPyConnection, table: str) -> list[dict[str, Any]]:
    rows = connection.execute(
        f"""
        select payload::varchar
        from raw.{table}
        where _dlt_load_id = (select max(_dlt_load_id) from raw.{table})
        order by position, id
        """
    ).fetchall()
    records = (json.loads(payload) for (payload,) in rows if payload is not None)
    return [record for record in records if isinstance(record, dict)]


def _is_custom(record: dict[str, Any], key: str) -> bool:
    if _HASH.fullmatch(key):
        return True
    if not key or _SUBFIELD.fullmatch(key) or record.get("is_subfield"):
        return False
    return bool(record.get("edit_flag") or record.get("is_custom_field"))


def _definition(
    record: dict[str, Any], key: str, position: int, subfields: tuple[str, ...]
) -> Definition:
    return Definition(
        key=key,
        label=_text(record.get("name", record.get("field_name"))),
        field_type=_text(record.get("field_type")),
        position=position,
        is_active=record.get("active_flag") not in (False, 0),
        subfields=subfields,
        options=tuple(_options(record.get("options"))),
        deleted_options=tuple(_options(record.get("options_deleted"))),
    )


def _subfields(records: list[dict[str, Any]]) -> dict[str, tuple[str, ...]]:
    """The suffixes each hash has, from v1's subfield rows and v2's nested lists."""
    suffixes: dict[str, set[str]] = {}
    for record in records:
        key = _text(record.get("key", record.get("field_code")))
        if match := _SUBFIELD.fullmatch(key):
            suffixes.setdefault(match[1], set()).add(match[2])
        nested = record.get("subfields")
        for subfield in nested if isinstance(nested, list) else ():
            if isinstance(subfield, dict):
                code = _text(subfield.get("field_code", subfield.get("key")))
                suffixes.setdefault(key, set()).add(code.removeprefix(f"{key}_"))
    return {key: tuple(sorted(found - {"", "value"})) for key, found in suffixes.items()}


def _labels(records: list[dict[str, Any]]) -> tuple[Option, ...]:
    by_key = {_text(r.get("key", r.get("field_code"))): r.get("options") for r in records}
    return tuple(_options(by_key.get(LABELS_KEY) or by_key.get("label")))


def _options(value: object) -> Iterator[Option]:
    """The options of a definition; the key is absent or null when there are none."""
    for option in value if isinstance(value, list) else ():
        if isinstance(option, dict) and option.get("id") is not None:
            color = option.get("color")
            yield Option(
                _text(option["id"]),
                _text(option.get("label")),
                None if color is None else _text(color),
            )


def _text(value: object) -> str:
    return "" if value is None else str(value)
