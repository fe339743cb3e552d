"""The run: read and load, mark what is gone, transform, check, publish; all in the ledger."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version

import duckdb

from sources.pipedrive.client import Client, Token
from sources.pipedrive.endpoints import TABLES
from sources.pipedrive.hosts import find_host
from sources.pipedrive.identity import Identity
from sources.pipedrive.reading import Reading
from warehouse.connect import open_working, require_working
from warehouse.ledger import Ledger, last_company, refused_reconciles, remembered_dialect
from warehouse.stored import drop_repeats

from .config import Settings
from .errors import ConfigError, is_told
from .finish import finish
from .load import load
from .narration import Narrator
from .outcome import RunResult, find_failure, told
from .readings import Plan, Scope, plan
from .settle import Settled, Settling

EVERYTHING = Scope()


def run(
    settings: Settings,
    narrator: Narrator,
    scope: Scope = EVERYTHING,
) -> RunResult:
    """Load what is new, mark what is gone, transform, publish.

    Errors of single entities and refusals leave the rest loaded and published and are in the
    result; errors that stop everything are raised, after the ledger has them.
    """
    with (
        open_client(settings) as client,
        open_working(settings.warehouse.path, settings.warehouse.memory_limit) as connection,
        _ledger(connection, scope.command) as ledger,
    ):
        identity = client.identify()
        check_company(last_company(connection), identity, settings)
        _note_identity(ledger, identity, narrator)
        planned = plan(connection, client, identity, settings, narrator, scope)
        _tell_refused(connection, planned, narrator)
        started, begun = datetime.now(UTC), time.monotonic()

        def load_more(readings: Sequence[Reading]) -> None:
            _load(connection, readings, settings, narrator)

        has_repeats = scope.is_whole and drop_repeats(connection, TABLES)
        load_more(planned.readings)
        settled = Settling(
            connection,
            client,
            identity,
            ledger,
            settings,
            narrator,
            planned,
            load_more,
            scope.accepts_deletions,
        ).settle()
        _record(ledger, planned.readings, settled, narrator)
        progress = tuple(reading.progress for reading in planned.readings)
        rows_loaded = sum(p.rows_loaded for p in progress)
        ledger.step(
            "load", started_time=started, seconds=time.monotonic() - begun, rows=rows_loaded
        )
        cost = client.meter
        ledger.note(
            api=settings.source.api,
            dialect=planned.dialects.used or remembered_dialect(connection),
            requests=cost.requests,
            tokens=cost.tokens,
            rows_loaded=rows_loaded,
        )
        failure = find_failure(planned.readings, settled)
        finished = finish(connection, ledger, settings, narrator, failure, is_full=has_repeats)
        narrator.say(
            f"{cost.requests} requests, {cost.tokens} tokens, {ledger.seconds:.1f} seconds"
        )
        return replace(finished, progress=progress, requests=cost.requests, tokens=cost.tokens)


def rebuild(settings: Settings, narrator: Narrator, *, is_full: bool) -> RunResult:
    """Transform what is in `raw` again and publish; no request is made. Raises NothingLoaded."""
    require_working(settings.warehouse.path)
    with (
        open_working(settings.warehouse.path, settings.warehouse.memory_limit) as connection,
        _ledger(connection, "transform") as ledger,
    ):
        return finish(connection, ledger, settings, narrator, is_full=is_full)


def open_client(settings: Settings) -> Client:
    """A connection to the configured host. Raises Misconfigured, NoToken."""
    source = settings.source
    return Client(
        find_host(source.company_domain, source.base_url),
        Token(source.api_token),
        user_agent=f"pipeduck/{version('pipeduck')}",
        timeout=source.timeout.total_seconds(),
        max_wait=source.max_wait.total_seconds(),
        daily_reserve=source.daily_reserve,
    )


@contextmanager
def _ledger(connection: duckdb.DuckDBPyConnection, command: str) -> Iterator[Ledger]:
    """The run's ledger; an error that ends the run is written there before it goes on."""
    ledger = Ledger(connection, command, version("pipeduck"))
    try:
        yield ledger
    except Exception as error:  # whatever ended the run, the ledger says so
        if is_told(error):
            ledger.finish("failed", error.exit_code, error.message)
        else:
            ledger.finish("failed", 1, f"{type(error).__name__}: {error}")
        raise


def check_company(known: int | None, identity: Identity, settings: Settings) -> None:
    """Raises ConfigError rather than mix two companies in one file."""
    if known and identity.company_id and known != identity.company_id:
        raise ConfigError(
            f"{settings.warehouse.path} holds company {known}, the token is of company "
            f"{identity.company_id} ({identity.company_domain}).",
            "Give each company files of its own: path and publish under [warehouse].",
        )


def _note_identity(ledger: Ledger, identity: Identity, narrator: Narrator) -> None:
    """Who loads is part of what is loaded: nothing but what the token's user may see."""
    if identity.is_admin is False:
        narrator.say(
            f"the token's user {identity.user_name} is no admin: what this user may not see is "
            "not loaded"
        )
    ledger.note(
        user_id=identity.user_id,
        user_name=identity.user_name,
        is_admin=identity.is_admin,
        company_id=identity.company_id,
        company_domain=identity.company_domain,
    )


def _tell_refused(connection: duckdb.DuckDBPyConnection, planned: Plan, narrator: Narrator) -> None:
    """Repeat what is not settled, unless this run compares again."""
    for table, reason in refused_reconciles(connection).items():
        if table not in planned.whole:
            narrator.say(f"not settled since the last reconcile: {reason}")


def _load(
    connection: duckdb.DuckDBPyConnection,
    readings: Sequence[Reading],
    settings: Settings,
    narrator: Narrator,
) -> None:
    def on_package(packages: int) -> None:
        rows = sum(reading.progress.rows_loaded for reading in readings)
        if rows:
            narrator.say(f"package {packages} committed, {rows:,} rows so far")

    load(connection, readings, settings, on_package)


def _record(
    ledger: Ledger, readings: Sequence[Reading], settled: Settled, narrator: Narrator
) -> None:
    """A step for each list that was read, and a line for a person."""
    for reading in readings:
        progress = reading.progress
        ledger.step(
            "read",
            entity=progress.entity,
            mode=progress.mode,
            started_time=progress.started_time,
            seconds=progress.seconds,
            requests=progress.meter.requests,
            tokens=progress.meter.tokens,
            rows=progress.rows_loaded,
            rows_listed=progress.rows_listed,
            rows_new=progress.rows_new,
            rows_changed=progress.rows_changed,
            rows_unchanged=progress.rows_unchanged,
            rows_deleted=progress.rows_deleted,
            rows_live=progress.rows_live,
            watermark=progress.watermark,
            note=progress.note,
            error=progress.error.message if progress.error else None,
        )
        narrator.say(told(progress))
    for table, marked in settled.marked.items():
        if marked:
            narrator.say(f"{table}: {marked:,} gone")
