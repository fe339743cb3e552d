"""How a run ended, and what its failures make of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sources.pipedrive.errors import SourceError
from sources.pipedrive.progress import Progress
from sources.pipedrive.reading import Reading

from .errors import Partial, Refused
from .settle import Settled

_ACCEPT = (
    "If they are really gone: pipeduck reconcile --accept-deletions. If not, check what the "
    "token's user may see. All that was read is loaded and published."
)
_AGAIN = "Run it again. All that was read is loaded and published."

Failure = SourceError | Partial | Refused


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


def find_failure(readings: Sequence[Reading], settled: Settled) -> Failure | None:
    """What errors of single entities and refused deletions make of the run.

    Where every entity has failed it is the first error itself; raised, if nothing was loaded, as
    there is nothing to publish then. What stops all of a run stays what it is: it is tried later.
    """
    failed = {r.endpoint.entity: r.progress.error for r in readings if r.progress.error}
    entities = [reading for reading in readings if reading.endpoint.kind == "entity"]
    if entities and all(reading.endpoint.entity in failed for reading in entities):
        first = next(failed[reading.endpoint.entity] for reading in entities)
        if not any(r.progress.rows_loaded or r.stored.count(r.endpoint.entity) for r in entities):
            raise first
        return first
    if settled.error:
        failed["recents"] = settled.error
    errors = list(failed.values())
    final = next((error for error in errors if error.stops_run), None)
    if final:
        return final
    if settled.refusals:
        failing = f" {', '.join(failed)} could not be read." if failed else ""
        return Refused(
            " ".join(refusal.text for refusal in settled.refusals) + failing,
            _ACCEPT if all(r.can_be_accepted for r in settled.refusals) else _AGAIN,
        )
    if not errors:
        return None
    return Partial(
        f"{', '.join(failed)} could not be read; the rest is loaded and published. "
        f"{errors[0].message}",
        errors[0].hint or "The next run reads it again.",
    )


def told(progress: Progress) -> str:
    """One line about one entity."""
    if progress.note:
        return progress.note
    line = (
        f"{progress.entity:<20} {progress.rows_listed:>9,} read  {progress.rows_new:>9,} new  "
        f"{progress.rows_changed:>7,} changed  {progress.meter.requests:>4} requests"
    )
    return f"{line}  {progress.error.message}" if progress.error else line
