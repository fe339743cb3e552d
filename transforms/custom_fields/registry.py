"""The registry: gives each custom field its columns once and for ever.

`assign` decides and is pure; `load` and `save` speak to `ops.custom_columns`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import chain

import duckdb

from transforms.custom_fields import naming
from transforms.custom_fields.definitions import Definition, Entity
from transforms.custom_fields.field_types import suffixes
from warehouse.errors import ColumnNameError


@dataclass(frozen=True, slots=True)
class CustomColumn:
    """One row of `ops.custom_columns`: a custom field and the name its columns have."""

    entity: Entity
    key: str
    label: str
    field_type: str
    column_name: str
    slug: str
    aliases: tuple[str, ...]
    subfields: tuple[str, ...]
    position: int
    is_active: bool
    first_seen: datetime
    renamed_from: str | None = None

    @property
    def suffixes(self) -> tuple[str, ...]:
        """`''` for the main column, then those of its companions."""
        return suffixes(self.field_type, self.subfields)

    def names(self, column_name: str | None = None) -> tuple[str, ...]:
        """The main column and its companions, under the field's own or another main name."""
        return tuple(f"{column_name or self.column_name}{suffix}" for suffix in self.suffixes)


def assign(
    entity: Entity,
    known: Iterable[CustomColumn],
    definitions: Sequence[Definition] | None,
    explicit: Mapping[str, str],
    reserved: Collection[str],
    now: datetime,
) -> tuple[CustomColumn, ...]:
    """The registry of one entity after a look at its newest definitions.

    Names once given are kept, whatever the order of the definitions, and outlive their field. A
    field whose label's slug changed is named anew and keeps the old name as an alias, unless
    someone else holds the new name: then it gets part of its key behind it. Names in `explicit`
    (config.toml) win over all. `definitions` None: none were ever loaded, so none is known to be
    gone.

    Raises ColumnNameError for an explicit name that cannot be used.
    """
    before = {column.key: column for column in known}
    fields = _with_definitions(entity, before, definitions, now)
    _check_explicit(entity, fields, explicit, reserved, is_complete=definitions is not None)

    # Who holds a name now, strongest first: Pipedrive's own columns, config.toml, the names in use,
    # their aliases. Only then are changed and new fields given what is left.
    claims = dict.fromkeys(reserved, "")
    named = {key: name for key, name in explicit.items() if key in fields}
    for key, name in named.items():
        _claim(claims, key, fields[key].names(name))
    kept: set[str] = set()
    for key, column in fields.items():
        if key not in named and _keeps_its_name(column):
            is_same = column.names() == before[key].names()
            names = column.names() if is_same else (column.column_name,)
            if _is_free(claims, key, names):
                kept.add(key)
                _claim(claims, key, names)
    for column in fields.values():
        _claim(claims, column.key, _earlier_names(column))
    for column in fields.values():
        for alias in _earlier_names(column):
            _claim(claims, column.key, column.names(alias))

    for key, column in fields.items():
        if key not in named:
            names_to_try = naming.candidates(naming.slug(column.label, key), key)
            if key in kept:
                names_to_try = chain((column.column_name,), names_to_try)
            named[key] = next(
                name for name in names_to_try if _is_free(claims, key, column.names(name))
            )
            _claim(claims, key, column.names(named[key]))

    return tuple(
        replace(
            column,
            column_name=named[key],
            slug=naming.slug(column.label, key),
            aliases=tuple(
                alias
                for alias in _earlier_names(column)
                if claims[alias] == key and alias not in column.names(named[key])
            ),
        )
        for key, column in fields.items()
    )


def layout(columns: Sequence[CustomColumn]) -> dict[str, tuple[tuple[str, str], ...]]:
    """The alias columns of each field, by key: (alias name, name of the column it shows).

    An alias shows the companions too. Where an old companion's name is in use by now, that one
    alias is left out: the names of an entity's columns are always unique.
    """
    taken = {name for column in columns for name in column.names()}
    taken |= {alias for column in columns for alias in column.aliases}
    shown: dict[str, tuple[tuple[str, str], ...]] = {}
    for column in columns:
        pairs: list[tuple[str, str]] = []
        for alias in column.aliases:
            for old, new in zip(column.names(alias), column.names(), strict=True):
                if old == alias or old not in taken:
                    taken.add(old)
                    pairs.append((old, new))
        shown[column.key] = tuple(pairs)
    return shown


def load(connection: duckdb.DuckDBPyConnection, entity: Entity) -> tuple[CustomColumn, ...]:
    """The registry of `entity` as the last transform left it: active fields first, in order."""
    rows = connection.execute(
        """
        select
            key, label, field_type, column_name, slug, aliases, subfields, position,
            is_active, epoch_us(first_seen), renamed_from
        from ops.custom_columns
        where entity = $entity
        order by is_active desc, position, first_seen, key
        """,
        {"entity": entity},
    ).fetchall()
    return tuple(
        CustomColumn(
            entity=entity,
            key=row[0],
            label=row[1],
            field_type=row[2],
            column_name=row[3],
            slug=row[4],
            aliases=tuple(row[5]),
            subfields=tuple(row[6]),
            position=row[7],
            is_active=row[8],
            first_seen=_utc(row[9]),
            renamed_from=row[10],
        )
        for row in rows
    )


def save(
    connection: duckdb.DuckDBPyConnection, entity: Entity, columns: Sequence[CustomColumn]
) -> None:
    """Write the registry of `entity`."""
    connection.execute("delete from ops.custom_columns where entity = $entity", {"entity": entity})
    if columns:
        connection.executemany(
            """
            insert into ops.custom_columns by name
            select
                $entity as entity, $key as key, $label as label, $field_type as field_type,
                $column_name as column_name, $slug as slug, $aliases::varchar[] as aliases,
                $subfields::varchar[] as subfields, $position as position,
                $is_active as is_active, $first_seen as first_seen, $renamed_from as renamed_from
            """,
            [
                {
                    "entity": c.entity,
                    "key": c.key,
                    "label": c.label,
                    "field_type": c.field_type,
                    "column_name": c.column_name,
                    "slug": c.slug,
                    "aliases": list(c.aliases),
                    "subfields": list(c.subfields),
                    "position": c.position,
                    "is_active": c.is_active,
                    "first_seen": c.first_seen,
                    "renamed_from": c.renamed_from,
                }
                for c in columns
            ],
        )


def prune_aliases(
    connection: duckdb.DuckDBPyConnection, entity: Entity | None = None
) -> list[tuple[Entity, str, str]]:
    """Drop the aliases of `entity`, or of all: (entity, column_name, alias) of each one dropped.

    The next transform builds the public tables without them. Columns stay, also those of fields
    that are deleted.
    """
    where = "len(aliases) > 0 and ($entity is null or entity = $entity)"
    dropped: list[tuple[Entity, str, str]] = connection.execute(
        f"select entity, column_name, unnest(aliases) as alias from ops.custom_columns"
        f" where {where} order by all",
        {"entity": entity},
    ).fetchall()
    if dropped:
        connection.execute(
            f"update ops.custom_columns set aliases = [] where {where}", {"entity": entity}
        )
    return dropped


def _with_definitions(
    entity: Entity,
    before: Mapping[str, CustomColumn],
    definitions: Sequence[Definition] | None,
    now: datetime,
) -> dict[str, CustomColumn]:
    """Every field known or defined now, in definition order, the gone ones last."""
    if definitions is None:
        return dict(before)
    fields: dict[str, CustomColumn] = {}
    for definition in definitions:
        old = before.get(definition.key)
        if old is None:
            fields[definition.key] = CustomColumn(
                entity,
                definition.key,
                definition.label,
                definition.field_type,
                column_name="",
                slug="",
                aliases=(),
                subfields=definition.subfields,
                position=definition.position,
                is_active=definition.is_active,
                first_seen=now,
            )
            continue
        fields[definition.key] = replace(
            old,
            label=definition.label,
            field_type=definition.field_type,
            # v1 and v2 name different ones: a column once there stays
            subfields=tuple(sorted({*old.subfields, *definition.subfields})),
            position=definition.position,
            is_active=definition.is_active,
            renamed_from=old.renamed_from if old.label == definition.label else old.label,
        )
    for key, old in before.items():
        if key not in fields:
            fields[key] = replace(old, is_active=False)
    return fields


def _keeps_its_name(column: CustomColumn) -> bool:
    slug = naming.slug(column.label, column.key)
    return column.slug == slug and naming.is_derived(column.column_name, slug, column.key)


def _earlier_names(column: CustomColumn) -> tuple[str, ...]:
    """The main names the field had up to now, newest last: what may become its aliases."""
    return (*column.aliases, column.column_name) if column.column_name else column.aliases


def _is_free(claims: Mapping[str, str], key: str, names: Iterable[str]) -> bool:
    return all(claims.get(name, key) == key for name in names)


def _claim(claims: dict[str, str], key: str, names: Iterable[str]) -> None:
    for name in names:
        claims.setdefault(name, key)


def _check_explicit(
    entity: Entity,
    fields: Mapping[str, CustomColumn],
    explicit: Mapping[str, str],
    reserved: Collection[str],
    *,
    is_complete: bool,
) -> None:
    where = f"[transforms.columns.{entity}]"
    taken: dict[str, str] = {}
    for key, name in explicit.items():
        if not naming.is_usable(name):
            raise ColumnNameError(
                f"{where} names field {key} {name!r}, which cannot be a column name.",
                "Use up to 63 lower-case letters, digits and underscores, no digit first.",
            )
        if key not in fields:
            if is_complete:
                raise ColumnNameError(
                    f"{where} names field {key}, which {entity} do not have.",
                    "Copy the key from the table custom_fields, or remove the line.",
                )
            continue
        for column in fields[key].names(name):
            if column in reserved:
                raise ColumnNameError(
                    f"{where} gives field {key} the column {column}, which {entity} have already.",
                    "Choose another name, for example with cf_ in front.",
                )
            if column in taken:
                raise ColumnNameError(
                    f"{where} gives the column {column} to both {taken[column]} and {key}.",
                    "Choose two different names.",
                )
            taken[column] = key


def _utc(microseconds: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=microseconds)
