"""The tables of `raw` that models read, made empty where an entity was never loaded.

They are what a load makes them (`sources.pipedrive.source.columns_of`), so that a later one finds
its tables as it left them: payloads compressed, no key (DuckDB's indexes make merges very slow).
"""

from __future__ import annotations

from typing import Literal, NamedTuple


class RawTable(NamedTuple):
    """One table: the type of its ids, and whether rows have a place in a listing."""

    name: str
    id_type: Literal["bigint", "varchar"]
    is_listing: bool


RAW_TABLES = (
    RawTable("leads", "varchar", False),
    RawTable("archived_leads", "varchar", False),
    RawTable("persons", "bigint", False),
    RawTable("organizations", "bigint", False),
    RawTable("deals", "bigint", False),
    RawTable("archived_deals", "bigint", False),
    RawTable("lead_labels", "varchar", True),
    RawTable("lead_sources", "varchar", True),
    RawTable("users", "bigint", True),
    RawTable("currencies", "bigint", True),
    RawTable("pipelines", "bigint", True),
    RawTable("stages", "bigint", True),
    RawTable("deal_fields", "varchar", True),
    RawTable("lead_fields", "varchar", True),
    RawTable("person_fields", "varchar", True),
    RawTable("organization_fields", "varchar", True),
)


def create_missing_sql() -> str:
    """SQL that makes the tables that are missing, and leaves the others alone."""
    return "create schema if not exists raw;\n" + "".join(
        f"create table if not exists raw.{table.name} (\n"
        f"    id {table.id_type} not null,\n"
        "    update_time timestamptz,\n"
        "    payload json using compression zstd,\n"
        "    api varchar,\n"
        "    read_time timestamptz,\n"
        f"{'    position bigint,' + chr(10) if table.is_listing else ''}"
        "    _dlt_load_id varchar not null\n"
        ");\n"
        for table in RAW_TABLES
    )
