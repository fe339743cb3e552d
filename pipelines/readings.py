"""Which lists a run reads, and which of them whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import duckdb

from sources.pipedrive.client import Client
from sources.pipedrive.dialects import DialectChoice
from sources.pipedrive.endpoints import TABLES, Dialect, Endpoint, endpoints_for
from sources.pipedrive.identity import Identity
from sources.pipedrive.reading import Reading, ReadingSettings
from sources.pipedrive.recents import ITEMS, LONGEST
from warehouse.ledger import last_polls, last_read_times, last_reconciles, remembered_dialect
from warehouse.stored import StoredRows

from .config import Settings
from .narration import Narrator


@dataclass(frozen=True)
class Scope:
    """What one run is asked for. No `resources`: those of the configuration.

    `is_whole`: every list from its beginning to its end, cadences or not.
    """

    resources: tuple[str, ...] = ()
    is_whole: bool = False
    accepts_deletions: bool = False
    command: str = "run"


@dataclass(frozen=True)
class Plan:
    """The readings of a run, and the tables whose recent changes to poll, with since when."""

    readings: list[Reading]
    polls: Mapping[str, datetime | None]  # by public table; None: nothing was ever polled
    dialects: DialectChoice


def plan(
    connection: duckdb.DuckDBPyConnection,
    client: Client,
    identity: Identity,
    settings: Settings,
    narrator: Narrator,
    scope: Scope,
) -> Plan:
    """Decide what to read: what is due by its cadence, whole where a reconcile is due."""
    source = settings.source
    stored = StoredRows(connection, TABLES)
    known = remembered_dialect(connection)
    remembered: Dialect | None = (
        None if known is None else ("v2" if known == "v2" else "collection")
    )
    dialects = DialectChoice(source.api, remembered)
    reading_settings = ReadingSettings(
        page_size=source.page_size,
        package_rows=source.package_rows,
        overlap=source.overlap,
        full_listing_pages=source.full_listing_pages,
        start_date=source.start_date,
    )
    last_read, today = last_read_times(connection), datetime.now(UTC)
    has_v2 = source.api != "auto" or remembered != "collection"  # asked once, and remembered
    endpoints = [
        endpoint
        for endpoint in endpoints_for(_resources(settings, scope))
        if has_v2 or not endpoint.is_optional
    ]
    endpoints = [
        endpoint
        for endpoint in endpoints
        if scope.is_whole
        or not stored.count(endpoint.entity)
        or _is_over(
            last_read.get(endpoint.entity), source.cadence.get(endpoint.entity, timedelta()), today
        )
    ]
    now = identity.server_time
    polls = _polls(connection, settings, endpoints, now)
    whole = _whole(connection, settings, stored, endpoints, polls, now, narrator, scope)
    readings = [
        Reading(
            endpoint,
            client,
            dialects,
            reading_settings,
            identity.server_time,
            stored,
            narrator.page,
            is_full=endpoint.table in whole,
        )
        for endpoint in endpoints
    ]
    return Plan(readings, polls, dialects)


def _resources(settings: Settings, scope: Scope) -> tuple[str, ...]:
    """What is asked for. A reconcile compares open and archived leads together."""
    configured = settings.source.resources
    wanted = scope.resources or configured
    lists = set(TABLES["leads"])
    if scope.is_whole and lists & set(wanted):
        return tuple(name for name in configured if name in {*wanted, *lists}) or wanted
    return wanted


def _polls(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    endpoints: list[Endpoint],
    now: datetime,
) -> dict[str, datetime | None]:
    polls = last_polls(connection)
    return {
        table: polls.get(table)
        for table in ITEMS
        if any(endpoint.table == table for endpoint in endpoints)
        and _is_over(polls.get(table), settings.source.cadence["recents"], now)
    }


def _whole(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    stored: StoredRows,
    endpoints: list[Endpoint],
    polls: Mapping[str, datetime | None],
    now: datetime,
    narrator: Narrator,
    scope: Scope,
) -> set[str]:
    """The public tables to list whole: all if asked for, those due, those with a gap in polls."""
    last = last_reconciles(connection)
    whole = set()
    for table in {endpoint.table for endpoint in endpoints if endpoint.table}:
        is_due = _is_over(last.get(table), settings.reconcile.every[table], now)
        known = [moment for moment in (polls.get(table), last.get(table)) if moment is not None]
        has_gap = table in polls and (not known or now - max(known) > LONGEST)
        if has_gap and any(stored.count(raw) for raw in TABLES[table]):
            since = f"last on {max(known):%Y-%m-%d}" if known else "never"
            narrator.say(
                f"{table}: what is gone was {since} asked for, and Pipedrive looks back one month: "
                "the whole list is read"
            )
            is_due = True
        is_loaded_whole = all(any(e.entity == raw for e in endpoints) for raw in TABLES[table])
        if scope.is_whole or (is_due and is_loaded_whole):
            whole.add(table)
    return whole


def _is_over(last: datetime | None, cadence: timedelta, now: datetime) -> bool:
    """Whether it is time again. A last time in the future is a clock that went back: it is."""
    return last is None or last > now or now - last >= cadence
