"""Which lists a run reads, and which of them whole."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb

from sources.pipedrive.client import Client
from sources.pipedrive.dialects import DialectChoice
from sources.pipedrive.endpoints import TABLES, Dialect, Endpoint, endpoints_for
from sources.pipedrive.identity import Identity
from sources.pipedrive.reading import Reading, ReadingSettings
from sources.pipedrive.recents import ITEMS, LONGEST
from warehouse.ledger import (
    first_poll,
    last_polls,
    last_read_times,
    last_reconciles,
    left_out_lists,
    remembered_dialect,
)
from warehouse.stored import StoredRows

from .config import Settings
from .narration import Narrator
from .positions import read_positions

_ASK_AGAIN = timedelta(days=1)


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
class Poll:
    """Since when the recent changes of a table are to be asked for; None: it is loaded first.

    `has_gap`: since before the month that Pipedrive looks back. Only a whole list closes it.
    """

    since: datetime | None
    has_gap: bool

    @property
    def is_first(self) -> bool:
        """Whether nothing of the table is known: what is gone from now on is to be asked for."""
        return self.since is None and not self.has_gap


@dataclass(frozen=True)
class Plan:
    """The readings of a run, what to poll by public table, and the public tables read whole."""

    readings: list[Reading]
    polls: Mapping[str, Poll]
    whole: frozenset[str]
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
    endpoints = list(_due(connection, settings, stored, scope))
    now = identity.server_time
    positions = read_positions(connection)
    begun = {e.table for e in endpoints if "first" in positions.get(e.entity, {})}
    polls = _polls(connection, settings, stored, endpoints, now, begun)
    whole = _whole(connection, settings, endpoints, polls, now, narrator, scope)
    if not scope.is_whole:
        due = whole - {table for table, poll in polls.items() if poll.has_gap}
        waiting = _waiting(connection, settings, due, now, narrator) if begun else set()
        whole -= waiting
        whole -= _unaffordable(client, settings, stored, endpoints, due - waiting, narrator)
    readings = [
        Reading(
            endpoint,
            client,
            dialects,
            reading_settings,
            identity.server_time,
            stored,
            narrator.page,
            position=_position(positions.get(endpoint.entity, {}), endpoint, narrator, scope),
            is_full=endpoint.table in whole,
        )
        for endpoint in endpoints
    ]
    return Plan(readings, polls, frozenset(whole), dialects)


def _position(
    position: dict[str, Any], endpoint: Endpoint, narrator: Narrator, scope: Scope
) -> dict[str, Any]:
    """Where a list begins. One whose first read was broken off goes on, or starts anew if asked."""
    if scope.is_whole and scope.command != "reconcile":
        position.pop("first", None)
    elif "first" in position:
        rows = position["first"]["rows"]
        narrator.say(f"{endpoint.entity}: going on with the first load, {rows:,} rows are here")
    return position


def wanted_resources(settings: Settings, scope: Scope) -> tuple[str, ...]:
    """What is asked for. A reconcile compares open and archived leads together."""
    configured = settings.source.resources
    wanted = scope.resources or configured
    lists = set(TABLES["leads"])
    if scope.is_whole and lists & set(wanted):
        return tuple(name for name in configured if name in {*wanted, *lists}) or wanted
    return wanted


def _due(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    stored: StoredRows,
    scope: Scope,
) -> Iterator[Endpoint]:
    """The lists to read now: all that were never read, the others by their cadence.

    An optional one that was not served when it was last asked for is asked for once a day.
    """
    last_read, now = last_read_times(connection), datetime.now(UTC)
    left_out = left_out_lists(connection)
    for endpoint in endpoints_for(wanted_resources(settings, scope)):
        cadence = settings.source.cadence.get(endpoint.entity, timedelta())
        if endpoint.entity in left_out:
            cadence = max(cadence, _ASK_AGAIN)
        elif not stored.count(endpoint.entity):
            cadence = timedelta()
        if scope.is_whole or _is_over(last_read.get(endpoint.entity), cadence, now):
            yield endpoint


def _polls(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    stored: StoredRows,
    endpoints: list[Endpoint],
    now: datetime,
    begun: set[str],
) -> dict[str, Poll]:
    last, accepted = last_polls(connection), last_reconciles(connection, is_accepted=True)
    polls = {}
    for table in ITEMS:
        known = [moments[table] for moments in (last, accepted) if table in moments]
        has_rows = any(stored.count(raw) for raw in TABLES[table])
        is_read = any(endpoint.table == table for endpoint in endpoints)
        if is_read and _is_over(last.get(table), settings.source.cadence["recents"], now):
            is_late = not known or now - max(known) > LONGEST
            has_gap = has_rows and is_late and table not in begun
            polls[table] = Poll(last.get(table), has_gap)
    return polls


def _whole(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    endpoints: list[Endpoint],
    polls: Mapping[str, Poll],
    now: datetime,
    narrator: Narrator,
    scope: Scope,
) -> set[str]:
    """The public tables to list whole: all if asked for, those due, those with a gap in polls."""
    last, first = last_reconciles(connection), first_poll(connection)
    whole = set()
    for table in {endpoint.table for endpoint in endpoints if endpoint.table}:
        is_due = _is_over(last.get(table, first), settings.reconcile.every[table], now)
        if table in polls and polls[table].has_gap:
            narrator.say(
                f"{table}: what is gone was not asked for in a month, and Pipedrive looks back one "
                "month: the whole list is read"
            )
            is_due = True
        is_loaded_whole = all(any(e.entity == raw for e in endpoints) for raw in TABLES[table])
        if scope.is_whole or (is_due and is_loaded_whole):
            whole.add(table)
    return whole


def _waiting(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    due: set[str],
    now: datetime,
    narrator: Narrator,
) -> set[str]:
    """Tables whose whole list can wait until a first load is complete: two cadences, at most."""
    last, first = last_reconciles(connection), first_poll(connection)
    every = settings.reconcile.every
    waiting = {t for t in due if not _is_over(last.get(t, first), 3 * every[t], now)}
    for table in sorted(waiting):
        narrator.say(f"{table}: the whole list is due and waits for the first load")
    return waiting


def _unaffordable(
    client: Client,
    settings: Settings,
    stored: StoredRows,
    endpoints: list[Endpoint],
    whole: set[str],
    narrator: Narrator,
) -> set[str]:
    """Tables whose whole list would take what is left of the day, and the next day's again.

    What changed is worth more than what is gone: it is read first, as long as there are tokens.
    """
    if client.daily is None:
        return set()
    left = client.daily.remaining - client.daily.limit * settings.source.daily_reserve
    put_off = set()
    for table in sorted(whole):
        cost = sum(
            math.ceil(stored.count(e.entity) / settings.source.page_size) * e.v2.cost
            for e in endpoints
            if e.table == table
        )
        if cost > left:
            narrator.say(
                f"{table}: the whole list is due and costs about {cost:,} tokens, {left:,.0f} may "
                "be spent today: put off"
            )
            put_off.add(table)
        else:
            left -= cost
    return put_off


def _is_over(last: datetime | None, cadence: timedelta, now: datetime) -> bool:
    """Whether it is time again. A last time in the future is a clock that went back: it is."""
    return last is None or last > now or now - last >= cadence
