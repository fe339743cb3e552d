"""The doctor's checks of the account: token, user, company, endpoints, budget, clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sources.pipedrive.client import Client
from sources.pipedrive.endpoints import (
    RECENTS_COST,
    Dialect,
    Endpoint,
    Route,
    endpoints_for,
)
from sources.pipedrive.errors import (
    Blocked,
    BudgetSpent,
    Forbidden,
    NotServed,
    SourceError,
    Unauthorized,
    Unreachable,
)
from sources.pipedrive.identity import Identity
from sources.pipedrive.recents import ITEMS, read_recents
from warehouse.connect import open_working_read_only
from warehouse.errors import WarehouseLocked
from warehouse.ledger import last_company

from .config import Settings
from .connection import open_client
from .findings import Finding, checked, from_error, ok, problem, warning
from .logs import Log
from .run import check_company

_PATIENCE = timedelta(seconds=2)  # a doctor does not wait as long as a run
_SKEW = timedelta(minutes=1)
_FINAL = (Blocked, BudgetSpent, Unauthorized, Unreachable)  # the other endpoints would say the same
_DIALECTS: tuple[Dialect, ...] = ("v2", "collection")


@dataclass(frozen=True)
class _Probe:
    """One request that shows whether an endpoint is served. `need` is met by any of its probes.

    An `is_spare` one is asked only where the others of its need have failed.
    """

    need: str
    name: str
    cost: int
    ask: Callable[[], object]
    is_optional: bool = False
    is_spare: bool = False


def account_findings(settings: Settings, log: Log, cost: list[int]) -> Iterator[Iterator[Finding]]:
    """One iterator a check. `cost` gets the requests and tokens that asking took."""
    patient = replace(settings.source, max_wait=min(settings.source.max_wait, _PATIENCE))
    try:
        client = open_client(replace(settings, source=patient))
    except Exception as error:  # no host or no token: nobody can be asked
        yield iter([from_error("token", error)])
        return
    with client:
        try:
            identity = client.identify()
        except Exception as error:  # likewise
            yield iter([from_error("token", error)])
        else:
            yield checked("token", lambda: _user(identity))
            yield checked("company", lambda: _company(identity, settings))
            yield checked("clock", lambda: _clock(identity))
            yield checked("endpoints", lambda: _endpoints(client, identity, settings, log))
            yield checked("budget", lambda: _budget(client, settings))
            yield checked("pace", lambda: _pace(client, settings))
        finally:
            cost[:] = [client.meter.requests, client.meter.tokens]


def _user(identity: Identity) -> Iterator[Finding]:
    who = f"the token is accepted, its user is {identity.user_name or 'unknown'}"
    if identity.is_admin:
        yield ok("token", f"{who}, an admin: all of the company is loaded")
    elif identity.is_admin is None:
        yield warning("token", f"{who}; whether an admin is not told")
    else:
        yield warning("token", f"{who}, no admin: what this user may not see is not loaded")


def _company(identity: Identity, settings: Settings) -> Iterator[Finding]:
    warehouse, name = settings.warehouse, identity.company_domain or "unknown"
    if not warehouse.path.is_file():
        yield ok("company", f"{name}; nothing is loaded yet")
        return
    try:
        with open_working_read_only(warehouse.path, key=warehouse.encryption_key) as connection:
            known = last_company(connection)
    except WarehouseLocked:
        yield warning("company", f"{name}; the working file is in use, so they are not compared")
        return
    check_company(known, identity, settings)
    yield ok("company", f"{name}, {'the one that is loaded' if known else 'nothing loaded yet'}")


def _clock(identity: Identity) -> Iterator[Finding]:
    skew = datetime.now(UTC) - identity.server_time
    if abs(skew) > _SKEW:
        seconds = round(abs(skew).total_seconds())
        side = "ahead of" if skew > timedelta() else "behind"
        yield warning(
            "clock",
            f"this machine's clock is {seconds:,} seconds {side} Pipedrive's: set it right.",
        )
    else:
        yield ok("clock", "this machine's clock agrees with Pipedrive's")


def _endpoints(
    client: Client, identity: Identity, settings: Settings, log: Log
) -> Iterator[Finding]:
    """One request of one row to each endpoint that the configured resources take."""
    probes = list(_probes(client, identity, settings))
    asked = [probe for probe in probes if not probe.is_spare]
    tokens = sum(probe.cost for probe in asked)
    log.write(
        f"asking {len(asked)} endpoints for one row each: about {tokens} tokens",
        "doctor",
        requests=len(asked),
        tokens=tokens,
    )
    served: dict[str, str] = {}  # names by need
    refused: dict[str, list[SourceError]] = {}
    for probe in probes:
        if probe.is_spare and probe.need in served:
            continue
        try:
            probe.ask()
        except _FINAL as error:
            yield from_error("endpoints", error)
            return
        except SourceError as error:
            refused.setdefault(probe.need, []).append(error)
        else:
            known = served.get(probe.need)
            served[probe.need] = f"{known} and {probe.name}" if known else probe.name
    if served:
        yield ok("endpoints", f"served: {', '.join(served.values())}")
    optional = {probe.need for probe in probes if probe.is_optional}
    for need, errors in refused.items():
        yield _refused(need, errors, is_met=need in served, is_optional=need in optional)


def _refused(need: str, errors: list[SourceError], *, is_met: bool, is_optional: bool) -> Finding:
    """What it means that an endpoint refused, or both that a need has."""
    text = f"{need}: {' '.join(error.message for error in errors)}"
    if is_met:
        return ok("endpoints", f"{text} It is not needed.")
    if is_optional and all(isinstance(error, NotServed | Forbidden) for error in errors):
        return warning("endpoints", f"{text} A run does without it.")
    code = 77 if isinstance(errors[0], Forbidden) else 3
    return problem("endpoints", f"{text} {errors[0].hint}".strip(), code)


def _probes(client: Client, identity: Identity, settings: Settings) -> Iterator[_Probe]:
    """With `auto`, both dialects of the lists; of definitions the second only in need."""
    api = settings.source.api
    for endpoint in endpoints_for(settings.source.resources):
        if endpoint.v2 == endpoint.collection:
            yield _probe(client, endpoint, endpoint.v2, endpoint.entity)
            continue
        for dialect in _DIALECTS:
            if api in ("auto", dialect):
                is_spare = dialect == "collection" and api == "auto" and not endpoint.table
                name = f"{endpoint.entity} ({dialect})"
                yield _probe(client, endpoint, endpoint.route(dialect), name, is_spare=is_spare)
    tables = [table for table in ITEMS if table in settings.source.resources]
    if tables:
        since, meter = identity.server_time, client.meter
        yield _Probe(
            "recents",
            "recents",
            RECENTS_COST,
            lambda: read_recents(client, tables, since, settings.source.page_size, meter),
            is_optional=True,
        )


def _probe(
    client: Client, endpoint: Endpoint, route: Route, name: str, *, is_spare: bool = False
) -> _Probe:
    params: dict[str, str | int] = {} if route.pager == "none" else {"limit": 1}

    def ask() -> object:
        return client.page(endpoint, route, params, client.meter)

    return _Probe(endpoint.entity, name, route.cost, ask, endpoint.is_optional, is_spare)


def _budget(client: Client, settings: Settings) -> Iterator[Finding]:
    daily = client.daily
    share = settings.source.daily_reserve
    if daily is None:
        yield ok("budget", "Pipedrive does not tell what is left of the day's tokens")
        return
    reserve = round(daily.limit * share)
    told = (
        f"{daily.remaining:,} of today's {daily.limit:,} tokens are left, {reserve:,} are "
        "reserved for others"
    )
    if daily.remaining <= reserve:
        yield problem("budget", f"{told}: a run has to wait until the day is over.", 75)
    else:
        yield ok("budget", told)


def _pace(client: Client, settings: Settings) -> Iterator[Finding]:
    limit, side_by_side = client.burst_limit, settings.source.concurrency
    if limit is None:
        yield ok("pace", "Pipedrive does not tell how many requests two seconds allow")
    elif limit < side_by_side:
        yield warning(
            "pace",
            f"two seconds allow {limit} requests, and concurrency is {side_by_side}: runs will "
            "wait; lower it.",
        )
    else:
        yield ok("pace", f"two seconds allow {limit} requests")
