"""Custom fields that records hold and no definition names: kept as JSON all the same.

It happens when the definitions could not be read, and with fields deleted before the first load.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime

import duckdb

from transforms.custom_fields.definitions import Entity
from transforms.custom_fields.registry import CustomColumn
from transforms.custom_fields.shapes import RAW_TABLES

UNNAMED = "unknown"
"""The `field_type` of a field that no definition has named yet."""

_KEY = re.compile(r"([0-9a-f]{40})(?:_(.+))?")


def find_unnamed(
    connection: duckdb.DuckDBPyConnection,
    entity: Entity,
    named: Collection[str],
    since: str,
    now: datetime,
) -> tuple[CustomColumn, ...]:
    """The fields in records of loads after `since` whose keys are not in `named`."""
    keys = "\nunion\n".join(
        f"""
        select
            case
                when api = 'v2' then json_keys(payload, '/custom_fields')
                else json_keys(payload)
            end as keys
        from raw.{table}
        where _dlt_load_id > $since
        """
        for table in RAW_TABLES[entity]
    )
    rows = connection.execute(
        f"select distinct unnest(keys) as key from ({keys}) order by key", {"since": since}
    ).fetchall()
    found: dict[str, set[str]] = {}
    for (text,) in rows:
        match = _KEY.fullmatch(text)
        if match and match[1] not in named:
            found.setdefault(match[1], set()).update({match[2]} - {None})
    return tuple(
        CustomColumn(
            entity,
            key,
            label=f"field {key[:8]}",
            field_type=UNNAMED,
            column_name="",
            slug="",
            aliases=(),
            subfields=tuple(sorted(suffixes)),
            position=position,
            is_active=False,
            first_seen=now,
        )
        for position, (key, suffixes) in enumerate(found.items(), start=10_000)
    )
