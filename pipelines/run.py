"""The run: read and load, transform, publish, and an account of it in the ledger."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

import duckdb

from sources.pipedrive.client import Client, Token
from sources.pipedrive.dialects import DialectChoice
from sources.pipedrive.endpoints import Dialect, Endpoint, endpoints_for
from sources.pipedrive.errors import Blocked, BudgetSpent, SourceError
from sources.pipedrive.hosts import find_host
from sources.pipedrive.identity import Identity
from sources.pipedrive.reading import Progress, Reading, ReadingSettings
from transforms.runner import Transformed, transform
from warehouse.connect import fit_threads, open_working, require_working
from warehouse.ledger import Ledger, last_company, last_read_times, remembered_dialect
from warehouse.publish import is_published, publish
from warehouse.stored import StoredRows

from .config import Settings
from .errors import ConfigError, Partial, is_told
from .narration import Narrator

MOVES = {"leads": "archived_leads", "archived_leads": "leads"}


@dataclass(frozen=True)
class RunResult:
    """How a run ended. `error` is what kept it from being whole, if anything did."""

    run_id: str
    exit_code: int
    is_published: bool
    progress: tuple[Progress, ...] = ()
    requests: int = 0
    tokens: int = 0
    error: Exception | None = None


def run(
    settings: Settings,
    narrator: Narrator,
    *,
    resources: tuple[str, ...] = (),
    is_full_refresh: bool = False,
) -> RunResult:
    """Load what is new, transform, publish.

    Errors of single entities leave the others loaded and published and are in the result; errors
    that stop everything are raised, after the ledger has them.
    """
    with (
        _client(settings) as client,
        open_working(settings.warehouse.path, settings.warehouse.memory_limit) as connection,
        _ledger(connection, "run") as ledger,
    ):
        identity = client.identify()
        _check_company(last_company(connection), identity, settings)
        _note_identity(ledger, identity)
        readings, dialects = _open_readings(
            connection, client, identity, settings, narrator, resources, is_full_refresh
        )
        _load(connection, ledger, readings, settings, narrator)
        cost = client.meter
        ledger.note(
            api=settings.source.api,
            dialect=dialects.used or remembered_dialect(connection),
            requests=cost.requests,
            tokens=cost.tokens,
            rows_loaded=sum(r.progress.rows_loaded for r in readings),
        )
        progress = tuple(reading.progress for reading in readings)
        failure = _failure(readings)
        has_published = _transform_and_publish(connection, ledger, settings, narrator, failure)
        narrator.say(
            f"{cost.requests} requests, {cost.tokens} tokens, {ledger.seconds:.1f} seconds"
        )
        return RunResult(
            ledger.run_id,
            failure.exit_code if failure else 0,
            has_published,
            progress,
            cost.requests,
            cost.tokens,
            failure,
        )


def rebuild(settings: Settings, narrator: Narrator, *, is_full: bool) -> RunResult:
    """Transform what is in `raw` again and publish; no request is made. Raises NothingLoaded."""
    require_working(settings.warehouse.path)
    with (
        open_working(settings.warehouse.path, settings.warehouse.memory_limit) as connection,
        _ledger(connection, "transform") as ledger,
    ):
        has_published = _transform_and_publish(
            connection, ledger, settings, narrator, is_full=is_full
        )
        return RunResult(ledger.run_id, 0, has_published)


def _client(settings: Settings) -> Client:
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


def _check_company(known: int | None, identity: Identity, settings: Settings) -> None:
    """Raises ConfigError rather than mix two companies in one file."""
    if known and identity.company_id and known != identity.company_id:
        raise ConfigError(
            f"{settings.warehouse.path} holds company {known}, the token is of company "
            f"{identity.company_id} ({identity.company_domain}).",
            "Give each company files of its own: path and publish under [warehouse].",
        )


def _note_identity(ledger: Ledger, identity: Identity) -> None:
    ledger.note(
        user_id=identity.user_id,
        user_name=identity.user_name,
        is_admin=identity.is_admin,
        company_id=identity.company_id,
        company_domain=identity.company_domain,
    )


def _open_readings(
    connection: duckdb.DuckDBPyConnection,
    client: Client,
    identity: Identity,
    settings: Settings,
    narrator: Narrator,
    resources: tuple[str, ...],
    is_full_refresh: bool,
) -> tuple[list[Reading], DialectChoice]:
    source = settings.source
    stored = StoredRows(connection, MOVES)
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
        is_full_refresh=is_full_refresh,
    )
    last_read = {} if is_full_refresh else last_read_times(connection)
    return [
        Reading(
            endpoint,
            client,
            dialects,
            reading_settings,
            identity.server_time,
            stored,
            narrator.page,
        )
        for endpoint in endpoints_for(resources or source.resources)
        if not stored.count(endpoint.entity) or _is_due(endpoint, settings, last_read)
    ], dialects


def _is_due(endpoint: Endpoint, settings: Settings, last_read: dict[str, datetime]) -> bool:
    """Whether the entity's cadence says to read it again."""
    cadence = settings.source.cadence.get(endpoint.entity, timedelta())
    last = last_read.get(endpoint.entity)
    now = datetime.now(UTC)
    return last is None or last > now or now - last >= cadence


def _load(
    connection: duckdb.DuckDBPyConnection,
    ledger: Ledger,
    readings: list[Reading],
    settings: Settings,
    narrator: Narrator,
) -> None:
    from .load import load  # brings dlt, over a second of imports

    started, begun = datetime.now(UTC), time.monotonic()

    def on_package(packages: int) -> None:
        rows = sum(reading.progress.rows_loaded for reading in readings)
        narrator.say(f"package {packages} committed, {rows:,} rows so far")

    load(connection, readings, settings, on_package)
    for reading in readings:
        _record(ledger, reading.progress)
        narrator.say(told(reading.progress))
    ledger.step(
        "load",
        started_time=started,
        seconds=time.monotonic() - begun,
        rows=sum(reading.progress.rows_loaded for reading in readings),
    )


def _record(ledger: Ledger, progress: Progress) -> None:
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
        watermark=progress.watermark,
        error=progress.error.message if progress.error else None,
    )


def told(progress: Progress) -> str:
    """One line about one entity."""
    line = (
        f"{progress.entity:<20} {progress.rows_listed:>9,} read  {progress.rows_new:>9,} new  "
        f"{progress.rows_changed:>7,} changed  {progress.meter.requests:>4} requests"
    )
    return f"{line}  {progress.error.message}" if progress.error else line


def _failure(readings: list[Reading]) -> SourceError | Partial | None:
    """What the errors of single entities make of the run.

    Where every entity has failed it is the first error itself; raised, if nothing was loaded, as
    there is nothing to publish then. What stops all of a run stays what it is: it is tried later.
    """
    failed = [reading for reading in readings if reading.progress.error]
    errors = [reading.progress.error for reading in failed if reading.progress.error]
    if not errors:
        return None
    entities = [reading for reading in readings if reading.endpoint.kind == "entity"]
    if all(reading.progress.error for reading in entities):
        first = next(r.progress.error for r in entities if r.progress.error)
        if not any(reading.progress.rows_loaded for reading in entities):
            raise first
        return first
    final = next((error for error in errors if isinstance(error, BudgetSpent | Blocked)), None)
    if final:
        return final
    names = ", ".join(reading.endpoint.entity for reading in failed)
    return Partial(
        f"{names} could not be read; the rest is loaded and published. {errors[0].message}",
        errors[0].hint or "The next run reads it again.",
    )


def _transform_and_publish(
    connection: duckdb.DuckDBPyConnection,
    ledger: Ledger,
    settings: Settings,
    narrator: Narrator,
    failure: SourceError | Partial | None = None,
    *,
    is_full: bool = False,
) -> bool:
    """Returns whether the published file was written: only when anything in it can differ.

    The run's row is finished before, so that the published file has it whole.
    """
    fit_threads(connection)
    started, begun = datetime.now(UTC), time.monotonic()
    result = transform(connection, now=started, columns=settings.columns, full=is_full)
    target = settings.warehouse.publish
    is_current = is_published(connection, target)
    ledger.step("transform", started_time=started, seconds=time.monotonic() - begun)
    for line in _told_changes(result):
        narrator.say(line)
    exit_code = failure.exit_code if failure else 0
    ledger.note(is_published=not is_current)
    ledger.finish("partial" if failure else "ok", exit_code, failure.message if failure else None)
    if is_current:
        narrator.say(f"nothing changed, {target} is as it was")
        return False
    started, begun = datetime.now(UTC), time.monotonic()
    tables = publish(connection, target)
    ledger.step("publish", started_time=started, seconds=time.monotonic() - begun)
    narrator.say(f"published {tables} tables to {target}")
    return True


def _told_changes(result: Transformed) -> Iterator[str]:
    for renamed in result.renamed:
        yield (
            f"{renamed.entity}: the field {renamed.label_before!r} is now {renamed.label_after!r}, "
            f"column {renamed.column_name}"
        )
    if result.rejected:
        values = "value does" if result.rejected == 1 else "values do"
        yield f"{result.rejected:,} {values} not fit their column: see rejected_values"
