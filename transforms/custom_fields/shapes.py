"""Which shapes the records of an entity have in raw: v2 nests custom fields, v1 has them flat.

Decoding for a shape that no record has costs a fifth of the whole, so the generator asks.
"""

from __future__ import annotations

from typing import NamedTuple

import duckdb

from transforms.custom_fields.definitions import Entity

RAW_TABLES: dict[Entity, tuple[str, ...]] = {
    "leads": ("leads", "archived_leads"),
    "persons": ("persons",),
    "organizations": ("organizations",),
    "deals": ("deals", "archived_deals"),
}


class Shapes(NamedTuple):
    """The shapes to decode; at least one."""

    nested: bool = True
    flat: bool = True


def find_shapes(connection: duckdb.DuckDBPyConnection, entity: Entity) -> Shapes:
    """The shapes of the entity's records; both while there is none."""
    tables = "\nunion all\n".join(f"select api from raw.{table}" for table in RAW_TABLES[entity])
    row = connection.execute(
        f"select coalesce(bool_or(api = 'v2'), true), coalesce(bool_or(api <> 'v2'), true)"
        f" from ({tables})"
    ).fetchone()
    return Shapes(*row) if row else Shapes()
