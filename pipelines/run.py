"""The run: read and load, mark what is gone, transform, check, publish; all in the ledger."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version

import duckdb

from sources.pipedrive.client import Client, Trouble
from sources.pipedrive.endpoints import ENDPOINTS, TABLES
from sources.pipedrive.identity import Identity
from sources.pipedrive.reading import Reading
from transforms.statuses import Statuses
from warehouse.connect import open_working, require_working
from warehouse.files import find_wide, load_folder, working_files
from warehouse.ledger import Ledger, last_company, refused_reconciles, remembered_dialect
from warehouse.lock import hold
from warehouse.refusals import find_full_disk
from warehouse.stored import drop_repeats

from .config import Settings, check_place
from .config_layers import secrets_file
from .connection import open_client
from .errors import ConfigError, is_told
from .finish import finish
from .load import load
from .narration import Narrator
from .notify import announced, ping
from .outcome import RunResult, find_failure, told
from .readings import Plan, Scope, plan
from .settle import Settled, Settling
from .stopping import Stopping

EVERYTHING = Scope()
_ENTITIES = {route.name: e.entity for e in ENDPOINTS for route in (e.v2, e.collection)}


def run(
    settings: Settings,
    narrator: Narrator,
    scope: Scope = EVERYTHING,
    stopping: Stopping | None = None,
) -> RunResult:
    """Load what is new, mark what is gone, transform, publish; `stopping` ends it early.

    Errors of single entities and refusals leave the rest loaded and published and are in the
    result; errors that stop everything are raised, after the ledger has them.
    """
    check_place(settings)
    stopping = stopping or Stopping()
    with (
        announced(settings, narrator, scope.command) as news,
        _at_work(settings, scope.command, narrator) as (connection, ledger),
        open_client(settings, partial(_note_trouble, ledger), stopping.sleep) as client,
        _costs_noted(ledger, client),
    ):
        stopping.tell(client.stop)
        news.client = client
        identity = client.identify()
        ping(settings, narrator, "/start")  # not before: what cannot begin now leaves no trace
        news.company = identity.company_domain
        check_company(last_company(connection), identity, settings)
        _note_identity(ledger, identity, narrator)
        planned = plan(connection, client, identity, settings, narrator, scope)
        _note_first_polls(ledger, planned, identity)
        _tell_refused(connection, planned, narrator)
        started, begun = datetime.now(UTC), time.monotonic()
        statuses = Statuses(connection)

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
            rows_loaded=rows_loaded,
            **_costs(client),
        )
        failure = find_failure(planned.readings, settled)
        finished = finish(
            connection, ledger, settings, narrator, failure, statuses=statuses, is_full=has_repeats
        )
        narrator.say(
            f"{cost.requests} requests, {cost.tokens} tokens, {ledger.seconds:.1f} seconds",
            "run",
            exit_code=finished.exit_code,
            rows=rows_loaded,
            requests=cost.requests,
            tokens=cost.tokens,
            seconds=round(ledger.seconds, 3),
        )
        return news.end(
            replace(finished, progress=progress, requests=cost.requests, tokens=cost.tokens)
        )


def rebuild(settings: Settings, narrator: Narrator, *, is_full: bool) -> RunResult:
    """Transform what is in `raw` again and publish; no request is made. Raises NothingLoaded."""
    require_working(settings.warehouse.path)
    with (
        announced(settings, narrator, "transform") as news,
        _at_work(settings, "transform", narrator) as (connection, ledger),
    ):
        ping(settings, narrator, "/start")
        return news.end(finish(connection, ledger, settings, narrator, is_full=is_full))


@contextmanager
def _at_work(
    settings: Settings, command: str, narrator: Narrator
) -> Iterator[tuple[duckdb.DuckDBPyConnection, Ledger]]:
    """The working file, with nobody else at it, and the run's ledger in it."""
    place = settings.warehouse
    with (
        hold(place.path, command) as lock,
        _nothing_plain_left(settings),
        open_working(place.path, place.memory_limit, key=place.encryption_key) as connection,
        _ledger(connection, command) as ledger,
    ):
        for warning in find_wide(*working_files(place.path), secrets_file(settings.folder)):
            narrator.warn(warning, "wide_file")
        lock.identify(ledger.run_id)
        narrator.begin(ledger.run_id)
        narrator.on_progress = lock.tell
        yield connection, ledger


def _costs(client: Client) -> dict[str, int | None]:
    """What a run has cost so far and what headers tell of the day: columns of `ops.runs`."""
    cost, daily = client.meter, client.daily
    return {
        "requests": cost.requests,
        "tokens": cost.tokens,
        "daily_limit": daily.limit if daily else None,
        "daily_remaining": daily.remaining if daily else None,
    }


@contextmanager
def _costs_noted(ledger: Ledger, client: Client) -> Iterator[None]:
    """An error that ends the run leaves what it has cost in the ledger."""
    try:
        yield
    except Exception:
        with suppress(duckdb.Error):  # the error may be that nothing can be written any more
            ledger.note(**_costs(client))
        raise


@contextmanager
def _nothing_plain_left(settings: Settings) -> Iterator[None]:
    """Where files are encrypted, nothing that dlt writes in plain outlasts a run or a kill."""
    place = settings.warehouse
    if not place.encryption_key:
        yield
        return
    shutil.rmtree(load_folder(place.path), ignore_errors=True)
    try:
        yield
    finally:
        shutil.rmtree(load_folder(place.path), ignore_errors=True)


@contextmanager
def _ledger(connection: duckdb.DuckDBPyConnection, command: str) -> Iterator[Ledger]:
    """The run's ledger; an error that ends the run is written there before it goes on."""
    ledger = Ledger(connection, command, version("pipeduck"))
    try:
        yield ledger
    except Exception as error:  # whatever ended the run, the ledger says so
        ended = find_full_disk(error) or error
        with suppress(duckdb.Error):  # a full disk may have no room for that either
            if is_told(ended):
                ledger.finish("failed", ended.exit_code, ended.message)
            else:
                ledger.finish("failed", 1, f"{type(error).__name__}: {error}")
        if ended is error:
            raise
        raise ended from error
    except BaseException:
        with suppress(duckdb.Error):
            ledger.finish("failed", 1, "It was stopped from outside.")
        raise


def _note_trouble(ledger: Ledger, trouble: Trouble) -> None:
    ledger.request(
        trouble.kind,
        trouble.message,
        path=trouble.path,
        attempt=trouble.attempt,
        is_final=trouble.is_final,
        entity=_ENTITIES.get(trouble.path),
        params=trouble.params,
        status=trouble.status,
        wait_seconds=trouble.wait_seconds,
    )


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


def _note_first_polls(ledger: Ledger, planned: Plan, identity: Identity) -> None:
    """What is gone from now on is to be asked for, however far this run comes."""
    for name, poll in planned.polls.items():
        if poll.is_first:
            ledger.step(
                "recents",
                entity=name,
                started_time=ledger.started_time,
                watermark=identity.server_time,
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
            narrator.say(
                f"package {packages} committed, {rows:,} rows so far", "package", rows=rows
            )

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
        narrator.say(
            told(progress),
            "list",
            entity=progress.entity,
            mode=progress.mode,
            rows_listed=progress.rows_listed,
            rows_new=progress.rows_new,
            rows_changed=progress.rows_changed,
            requests=progress.meter.requests,
            tokens=progress.meter.tokens,
            seconds=round(progress.seconds, 3),
            error=progress.error.message if progress.error else None,
        )
    for table, marked in settled.marked.items():
        if marked:
            narrator.say(f"{table}: {marked:,} gone", "gone", table=table, rows=marked)
