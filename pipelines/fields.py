"""`pipeduck fields`: the dictionary, what the next run will change in it, and old names to drop."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files

import duckdb
import pyarrow as pa

from sources.pipedrive.client import Client
from sources.pipedrive.dialects import DialectChoice
from sources.pipedrive.endpoints import ENDPOINTS, Dialect, endpoints_for
from sources.pipedrive.reading import Reading, ReadingSettings
from transforms.custom_fields import registry
from transforms.custom_fields.definitions import ENTITIES, Entity, has_deals
from transforms.custom_fields.differences import FieldChange
from transforms.raw import create_missing_sql
from transforms.runner import preview
from warehouse.connect import open_working, open_working_read_only, require_working
from warehouse.ledger import last_company, remembered_dialect
from warehouse.lock import hold
from warehouse.query import Result, run_query
from warehouse.quoting import quote_identifier, quote_literal
from warehouse.table import write_table
from warehouse.writers import write_json

from .config import Settings
from .connection import open_client
from .narration import Narrator
from .outcome import RunResult
from .run import check_company, rebuild

_REGISTRY = ("ops.custom_columns", "ops.custom_field_options")


@dataclass(frozen=True)
class Differences:
    """What the next run will change, and what it cost to ask."""

    changes: tuple[FieldChange, ...]
    requests: int
    tokens: int


@dataclass(frozen=True)
class OldName:
    """An earlier name of a column, which still works until it is pruned."""

    entity: Entity
    column_name: str
    alias: str

    @property
    def text(self) -> str:
        """For a person."""
        return f"{self.entity}: {self.alias} (now {self.column_name})"


def dictionary(settings: Settings, entity: Entity | None = None, *, as_json: bool = False) -> int:
    """Write the dictionary of the published file to stdout; returns how many fields it has.

    Raises NothingPublished, WarehouseLocked, WarehouseUnusable.
    """
    fields = 0

    def write(result: Result) -> None:
        nonlocal fields
        if as_json:
            fields = write_json(result, sys.stdout)
        else:
            fields = write_table(result, sys.stdout, shown=sys.maxsize)

    place = settings.warehouse
    run_query(place.publish, _dictionary_sql(entity), write, key=place.encryption_key)
    return fields


def diff(settings: Settings) -> Differences:
    """Compare the definitions Pipedrive has now with the registry; nothing is written.

    Asks for the definitions of the configured resources, and before that who asks, so that two
    companies are not compared. Raises NothingLoaded, WarehouseLocked, ConfigError,
    ColumnNameError, and SourceError where a listing cannot be read.
    """
    with duckdb.connect(":memory:") as memory:
        place = settings.warehouse
        with open_working_read_only(place.path, key=place.encryption_key) as working:
            _copy_known(working, memory)
            remembered, company = remembered_dialect(working), last_company(working)
        # the working file is closed again: asking takes a while, and a run must be able to begin
        with open_client(settings) as client:
            identity = client.identify()
            check_company(company, identity, settings)
            dialects = DialectChoice(settings.source.api, _dialect(remembered))
            _read_definitions(memory, client, dialects, settings, identity.server_time)
        changes = preview(memory, now=datetime.now(UTC), columns=settings.columns)
        return Differences(changes, client.meter.requests, client.meter.tokens)


def old_names(settings: Settings, entity: Entity | None = None) -> list[OldName]:
    """The aliases that a prune drops. Raises NothingLoaded, WarehouseLocked."""
    place = settings.warehouse
    with open_working_read_only(place.path, key=place.encryption_key) as connection:
        return [
            OldName(name, column.column_name, alias)
            for name in ENTITIES
            if entity in (None, name)
            for column in registry.load(connection, name)
            for alias in column.aliases
        ]


def prune(
    settings: Settings, narrator: Narrator, entity: Entity | None = None
) -> tuple[list[OldName], RunResult | None]:
    """Drop the aliases of `entity`, or of all, then transform and publish.

    Returns what was dropped and how the transform ended; None where there was nothing to drop.
    Raises what `rebuild` raises; the aliases are dropped then all the same, and the next run
    builds the tables without them.
    """
    place = settings.warehouse
    require_working(place.path)
    with (
        hold(place.path, "fields prune"),
        open_working(place.path, place.memory_limit, key=place.encryption_key) as connection,
    ):
        pruned = [OldName(*row) for row in registry.prune_aliases(connection, entity)]
    return pruned, rebuild(settings, narrator, is_full=False) if pruned else None


def _dictionary_sql(entity: Entity | None) -> str:
    where = f"where entity = {quote_literal(entity)}" if entity else ""
    return f"""
        select entity, column_name, label, field_type, sql_type, is_active, aliases
        from custom_fields
        {where}
        order by entity, is_active desc, column_name
    """


def _dialect(remembered: str | None) -> Dialect | None:
    return None if remembered is None else ("v2" if remembered == "v2" else "collection")


def _copy_known(working: duckdb.DuckDBPyConnection, memory: duckdb.DuckDBPyConnection) -> None:
    """Put into `memory` what a transform would find before the next load: listings, registry."""
    memory.execute("set threads = 1; set TimeZone = 'UTC'")
    memory.execute((files("warehouse") / "sql" / "ops.sql").read_text("utf-8"))
    memory.execute(create_missing_sql())
    for table in _REGISTRY:
        _insert(memory, table, working.execute(f"select * from {table}").to_arrow_table())
    raw = {
        name
        for (name,) in working.execute(
            "select table_name from duckdb_tables() where schema_name = 'raw'"
        ).fetchall()
    }
    for endpoint in ENDPOINTS:
        if endpoint.kind == "definitions" and endpoint.entity in raw:
            table = f"raw.{quote_identifier(endpoint.entity)}"
            _insert(
                memory,
                table,
                working.execute(
                    f"select id, payload::varchar as payload, position, _dlt_load_id from {table}"
                ).to_arrow_table(),
            )
    if {"deals", "archived_deals"} <= raw and has_deals(working):
        # deals share the definitions of leads, and have a dictionary once there is a deal
        memory.execute("insert into raw.deals by name select 0 as id, '' as _dlt_load_id")


def _read_definitions(
    memory: duckdb.DuckDBPyConnection,
    client: Client,
    dialects: DialectChoice,
    settings: Settings,
    server_time: datetime,
) -> None:
    """Read the listings of the configured resources into `memory`, as a load would."""
    for endpoint in endpoints_for(settings.source.resources):
        if endpoint.kind != "definitions":
            continue
        reading = Reading(
            endpoint,
            client,
            dialects,
            ReadingSettings(page_size=settings.source.page_size),
            server_time,
        )
        for rows in reading.package():
            newest = rows.append_column("_dlt_load_id", pa.array(["newest"] * rows.num_rows))
            _insert(memory, f"raw.{quote_identifier(endpoint.entity)}", newest)
        if reading.progress.error:
            raise reading.progress.error


def _insert(memory: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
    memory.register("rows", rows)
    memory.execute(f"insert into {table} by name select * from rows")
    memory.unregister("rows")
