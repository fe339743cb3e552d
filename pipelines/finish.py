"""The end of a run: transform, check, publish."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import duckdb

from transforms.checks import run_checks
from transforms.checks import told as told_checks
from transforms.custom_fields.differences import tell
from transforms.runner import Transformed, transform
from transforms.statuses import Statuses
from warehouse.connect import fit_threads
from warehouse.ledger import Ledger, forget_old
from warehouse.publish import is_published, publish

from .config import Settings
from .errors import Refused
from .narration import Narrator
from .outcome import Failure, RunResult

_OUTCOMES = {4: "refused"}


def finish(
    connection: duckdb.DuckDBPyConnection,
    ledger: Ledger,
    settings: Settings,
    narrator: Narrator,
    failure: Failure | None = None,
    *,
    statuses: Statuses | None = None,
    is_full: bool = False,
) -> RunResult:
    """Build the public tables and publish them, where anything in them can differ.

    `statuses` are those from before the run, to say what became of records.

    Where a check marked `error` fails, the published file stays as it was. The run's row is
    finished before, so that the published file has it whole.
    """
    fit_threads(connection)
    started, begun = datetime.now(UTC), time.monotonic()
    statuses = statuses or Statuses(connection)
    result = transform(
        connection,
        now=started,
        columns=settings.columns,
        history=settings.history,
        full=is_full,
    )
    ledger.step("transform", started_time=started, seconds=time.monotonic() - begun)
    for line in _told_changes(result):
        narrator.say(line)
    if moved := statuses.changes():
        narrator.say(", ".join(change.text for change in moved), "statuses")
    refused = _check(connection, ledger, settings, narrator)
    failure = refused or failure
    forget_old(connection, ledger)
    target = settings.warehouse.publish
    key = settings.warehouse.encryption_key
    is_current = is_published(connection, target, key=key)
    ledger.note(is_published=not (is_current or refused))
    ledger.finish(
        _OUTCOMES.get(failure.exit_code, "partial") if failure else "ok",
        failure.exit_code if failure else 0,
        failure.message if failure else None,
    )
    ended = RunResult(ledger.run_id, failure.exit_code if failure else 0, False, error=failure)
    if refused:
        return ended
    if is_current:
        narrator.say(f"nothing changed, {target} is as it was", "publish", tables=0)
        return ended
    started, begun = datetime.now(UTC), time.monotonic()
    tables = publish(connection, target, key=key)
    ledger.step("publish", started_time=started, seconds=time.monotonic() - begun)
    narrator.say(f"published {tables} tables to {target}", "publish", tables=tables)
    return replace(ended, is_published=True)


def _check(
    connection: duckdb.DuckDBPyConnection, ledger: Ledger, settings: Settings, narrator: Narrator
) -> Refused | None:
    """Run the data checks and tell what they found; the refusal, where one of them is an error."""
    results = run_checks(
        connection,
        run_id=ledger.run_id,
        now=datetime.now(UTC),
        max_rejected_share=settings.max_rejected_share,
    )
    for line in told_checks(results):
        narrator.say(line)
    failed = [result.name for result in results if result.is_error]
    if not failed:
        return None
    return Refused(
        f"{'A data check' if len(failed) == 1 else 'Data checks'} failed: {', '.join(failed)}. "
        "The published file is as it was.",
        "See docs/checks.md and the rows above; the working file has all that was loaded.",
    )


def _told_changes(result: Transformed) -> Iterator[str]:
    yield from tell(result.changes)
    if result.rejected:
        values = "value does" if result.rejected == 1 else "values do"
        yield f"{result.rejected:,} {values} not fit their column: see rejected_values"
