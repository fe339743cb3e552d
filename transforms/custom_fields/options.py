"""The options of enum and set fields and of the labels, with those that are gone.

An option that was renamed has its newest label; one that was deleted keeps its last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import duckdb

from transforms.custom_fields.definitions import LABELS_KEY, Definitions, Entity, Option


@dataclass(frozen=True, slots=True)
class KnownOption:
    """One row of `ops.custom_field_options`."""

    key: str
    option_id: str
    label: str
    color: str | None
    position: int
    is_active: bool
    first_seen: datetime


def merge(
    known: Sequence[KnownOption], definitions: Definitions | None, now: datetime
) -> tuple[KnownOption, ...]:
    """The options of one entity after a look at its newest definitions."""
    if definitions is None:
        return tuple(known)
    options = {(o.key, o.option_id): o for o in known}
    for key, listed, deleted in _listings(definitions):
        listed_ids = {option.id for option in listed}
        for (known_key, option_id), old in list(options.items()):
            if known_key == key and option_id not in listed_ids:
                options[key, option_id] = replace(old, is_active=False)
        for position, option in enumerate(listed):
            options[key, option.id] = _known(key, option, position, True, options, now)
        for position, option in enumerate(deleted, start=len(listed)):
            if option.id not in listed_ids and (key, option.id) not in options:
                options[key, option.id] = _known(key, option, position, False, options, now)
    return tuple(options.values())


def load(connection: duckdb.DuckDBPyConnection, entity: Entity) -> tuple[KnownOption, ...]:
    """The options of `entity` as the last transform left them, by field, in order."""
    rows = connection.execute(
        """
        select key, option_id, label, color, position, is_active, epoch_us(first_seen)
        from ops.custom_field_options
        where entity = $entity
        order by key, is_active desc, position, option_id
        """,
        {"entity": entity},
    ).fetchall()
    epoch = datetime.fromtimestamp(0, UTC)
    return tuple(
        KnownOption(
            key=row[0],
            option_id=row[1],
            label=row[2],
            color=row[3],
            position=row[4],
            is_active=row[5],
            first_seen=epoch + timedelta(microseconds=row[6]),
        )
        for row in rows
    )


def save(
    connection: duckdb.DuckDBPyConnection, entity: Entity, options: Sequence[KnownOption]
) -> None:
    """Write the options of `entity`."""
    connection.execute(
        "delete from ops.custom_field_options where entity = $entity", {"entity": entity}
    )
    connection.execute(
        """
        insert into ops.custom_field_options by name
        select
            $entity as entity, o.key, o.option_id, o.label, o.color, o.position, o.is_active,
            o.first_seen
        from (
            select unnest($options::struct(
                key varchar, option_id varchar, label varchar, color varchar, position bigint,
                is_active boolean, first_seen timestamptz
            )[]) as o
        )
        """,
        {
            "entity": entity,
            "options": [
                {
                    "key": o.key,
                    "option_id": o.option_id,
                    "label": o.label,
                    "color": o.color,
                    "position": o.position,
                    "is_active": o.is_active,
                    "first_seen": o.first_seen,
                }
                for o in options
            ],
        },
    )


def _listings(
    definitions: Definitions,
) -> list[tuple[str, Sequence[Option], Sequence[Option]]]:
    fields = [(d.key, d.options, d.deleted_options) for d in definitions.fields]
    return [*fields, (LABELS_KEY, definitions.labels, ())]


def _known(
    key: str,
    option: Option,
    position: int,
    is_active: bool,
    options: dict[tuple[str, str], KnownOption],
    now: datetime,
) -> KnownOption:
    old = options.get((key, option.id))
    first_seen = old.first_seen if old else now
    return KnownOption(key, option.id, option.label, option.color, position, is_active, first_seen)
