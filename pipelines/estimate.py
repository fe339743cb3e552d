"""`pipeduck run --dry-run`: what a run would read and about what that costs; nothing is written.

Decided as a run decides, by `readings.plan`, on what is in the working file; Pipedrive is asked
only who asks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Any, Literal, TextIO

import duckdb

from sources.pipedrive.endpoints import (
    RECENTS_COST,
    TABLES,
    USERS_ME_COST,
    Dialect,
    Route,
    endpoints_for,
)
from sources.pipedrive.reading import Reading
from warehouse.connect import open_working_read_only
from warehouse.ledger import last_company, remembered_dialect
from warehouse.stored import StoredRows

from .config import Settings
from .connection import open_client
from .narration import Narrator
from .readings import Plan, Scope, plan, wanted_resources
from .run import check_company

Mode = Literal["first", "full", "incremental", "listing", "recents", "not due", "users/me"]


@dataclass(frozen=True)
class ListEstimate:
    """One list of a run. `is_minimum`: its size, or how much of it changed, is not known."""

    name: str
    mode: Mode
    rows_known: int
    requests: int
    tokens: int
    is_minimum: bool = False


@dataclass(frozen=True)
class Estimate:
    """What a run would do. `share_of_day` is of the company's daily tokens, where headers tell."""

    command: str
    lists: tuple[ListEstimate, ...]
    requests: int
    tokens: int
    is_minimum: bool
    daily_limit: int | None
    daily_remaining: int | None
    share_of_day: float | None

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def estimate(settings: Settings, narrator: Narrator, scope: Scope) -> Estimate:
    """The plan of a run of `scope`, at the price of one request.

    Raises what a run raises before it reads: NoToken, ConfigError for another company's token,
    WarehouseLocked during a run.
    """
    with open_client(settings) as client, _known(settings) as connection:
        identity = client.identify()
        check_company(last_company(connection), identity, settings)
        planned = plan(connection, client, identity, settings, narrator, scope)
        lists = (
            ListEstimate("users/me", "users/me", 0, 1, USERS_ME_COST),
            *_lists(connection, settings, scope, planned),
        )
        daily = client.daily
    tokens = sum(entry.tokens for entry in lists)
    return Estimate(
        command=scope.command,
        lists=lists,
        requests=sum(entry.requests for entry in lists),
        tokens=tokens,
        is_minimum=any(entry.is_minimum for entry in lists),
        daily_limit=daily.limit if daily else None,
        daily_remaining=daily.remaining if daily else None,
        share_of_day=tokens / daily.limit if daily else None,
    )


@contextmanager
def _known(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The working file for looking only; without one, what the first run would find: nothing."""
    warehouse = settings.warehouse
    if warehouse.path.is_file():
        with open_working_read_only(warehouse.path, key=warehouse.encryption_key) as connection:
            yield connection
        return
    with duckdb.connect(":memory:") as memory:
        memory.execute((files("warehouse") / "sql" / "ops.sql").read_text("utf-8"))
        yield memory


def _lists(
    connection: duckdb.DuckDBPyConnection, settings: Settings, scope: Scope, planned: Plan
) -> Iterator[ListEstimate]:
    stored = StoredRows(connection, TABLES)
    typical = _typical_requests(connection)
    is_v2 = settings.source.api == "v2" or (
        settings.source.api == "auto" and remembered_dialect(connection) in (None, "v2")
    )
    readings = {reading.endpoint.entity: reading for reading in planned.readings}
    for endpoint in endpoints_for(wanted_resources(settings, scope)):
        rows = stored.count(endpoint.entity)
        reading = readings.get(endpoint.entity)
        if reading is None:
            yield ListEstimate(endpoint.entity, "not due", rows, 0, 0)
        else:
            dialect: Dialect = "v2" if is_v2 else "collection"
            yield _list(reading, endpoint.route(dialect), rows, typical.get(endpoint.entity))
    if any(poll.since is not None for poll in planned.polls.values()):
        yield ListEstimate("recents", "recents", 0, 1, RECENTS_COST, is_minimum=True)


def _typical_requests(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """What incremental reads of each list took lately: the median of the last ten."""
    rows = connection.execute(
        """
        with recent as (
            select entity, requests
            from ops.steps
            where step = 'read' and mode = 'incremental' and error is null
            qualify row_number() over (partition by entity order by started_time desc) <= 10
        )
        select entity, ceil(median(requests))::bigint from recent group by entity
        """
    ).fetchall()
    return dict(rows)


def _list(reading: Reading, route: Route, rows: int, typical: int | None) -> ListEstimate:
    mode = reading.planned_mode
    is_unknown = mode == "incremental" or (mode == "first" and route.pager != "none")
    if mode == "incremental":
        requests = typical or 1
    elif is_unknown or route.pager == "none":
        requests = 1
    else:
        requests = _pages(route, rows, reading.settings.page_size)
    is_minimum = is_unknown or (mode == "listing" and route.pager != "none" and not rows)
    return ListEstimate(
        reading.endpoint.entity, mode, rows, requests, requests * route.cost, is_minimum
    )


def _pages(route: Route, rows: int, page_size: int) -> int:
    """Requests for a whole list of so many rows.

    Offset lists of records begin each page with the last row of the one before, and end with a
    look for what the walk may have missed: see `walks`.
    """
    if route.method not in ("keyset", "newest first"):
        return max(1, math.ceil(rows / page_size))
    pages = max(1, math.ceil((rows - 1) / (page_size - 1)))
    return pages + 1 if pages > 1 else pages


def print_estimate(found: Estimate, stream: TextIO) -> None:
    """The plan for a person."""
    stream.write(f"{'list':<20} {'mode':<12} {'rows known':>12} {'requests':>10} {'tokens':>10}\n")
    for entry in found.lists:
        least = ">= " if entry.is_minimum else ""
        rows = f"{entry.rows_known:,}" if entry.mode not in ("users/me", "recents") else ""
        stream.write(
            f"{entry.name:<20} {entry.mode:<12} {rows:>12} "
            f"{least + format(entry.requests, ','):>10} {least + format(entry.tokens, ','):>10}\n"
        )
    least = "at least " if found.is_minimum else ""
    share = ""
    if found.share_of_day is not None and found.daily_limit is not None:
        share = (
            f", {found.share_of_day:.2%} of the day's {found.daily_limit:,}"
            f" ({found.daily_remaining:,} left)"
        )
    stream.write(f"{least}{found.requests:,} requests, {least}{found.tokens:,} tokens{share}\n")
    if any(entry.mode == "first" for entry in found.lists):
        stream.write("A first load takes one request for each page of a list; sizes are unknown.\n")
