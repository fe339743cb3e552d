"""The one loop of a working file, and what it says of itself to `status` and to health checks.

As with the lock of a run (`warehouse.lock`), the lock is the operating system's and gone with the
process; the note beside it is what is told.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pipelines.errors import SchedulerRunning
from pipelines.moments import ago, shown
from warehouse.files import ensure_working_folder, private_files, write_private

_PATIENCE = 0.3  # seconds: somebody may hold it for a moment, to see whether it is held
_SOUND = (None, 0, 3, 75)
"""How the last run of a loop in good health may have ended; None: none has yet."""


@dataclass(frozen=True)
class Scheduled:
    """A loop. `next_time` is None while a run is going on, and `running_since` otherwise.

    A loop that is not `is_alive` was killed: one that ends takes its note away.
    """

    pid: int
    schedule: str
    started_time: datetime
    next_time: datetime | None = None
    running_since: datetime | None = None
    runs: int = 0
    last_time: datetime | None = None
    last_exit_code: int | None = None
    is_alive: bool = True

    @property
    def is_healthy(self) -> bool:
        """Whether it is there, and its last run did what it could."""
        return self.is_alive and self.last_exit_code in _SOUND

    @property
    def text(self) -> str:
        """For a person: every 15m, next run at 2026-06-01 10:15:00Z, last one ended with 0."""
        if not self.is_alive:
            return f"{self.schedule}: its process {self.pid} is gone without a word; start it again"
        if self.running_since:
            now = f"a run is going on since {shown(self.running_since)}"
        else:
            now = f"next run at {shown(self.next_time)}"
        if self.last_time is None:
            return f"{self.schedule}, {now}, none before"
        last = f"{ago(self.last_time)} with exit code {self.last_exit_code}"
        return f"{self.schedule}, {now}, the last one ended {last}"

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self) | {"is_healthy": self.is_healthy}


class Note:
    """What the loop says of itself, written at each change."""

    def __init__(self, file: Path, said: Scheduled) -> None:
        self._file = file
        self._said = said
        self._write(said)

    def waits(self, until: datetime) -> None:
        """For its next tick."""
        self._write(replace(self._said, next_time=until, running_since=None))

    def runs(self, since: datetime) -> None:
        """A run has begun."""
        self._write(replace(self._said, next_time=None, running_since=since))

    def ran(self, ended: datetime, exit_code: int) -> None:
        """A run has ended."""
        self._said = replace(
            self._said, runs=self._said.runs + 1, last_time=ended, last_exit_code=exit_code
        )

    def _write(self, said: Scheduled) -> None:
        self._said = said
        with suppress(OSError):  # a full disk: the runs tell of that themselves
            write_private(self._file, json.dumps(asdict(said), default=str))


@contextmanager
def alone(path: Path, schedule: str, started: datetime) -> Iterator[Note]:
    """Be the only loop of the working file `path`. Raises SchedulerRunning where there is one."""
    ensure_working_folder(path)
    file = schedule_note(path)
    with private_files():
        lock = _lock(path)
        try:
            lock.acquire(timeout=_PATIENCE, poll_interval=0.05)
        except Timeout as error:
            said = _read(file)
            raise SchedulerRunning(
                f"Another scheduler ({said.schedule}, pid {said.pid}) already runs on {path}."
                if said
                else f"Another scheduler already runs on {path}.",
                "One is enough: stop it first, or leave it alone.",
            ) from error
    try:
        yield Note(file, Scheduled(os.getpid(), schedule, started))
    finally:
        with suppress(OSError):
            file.unlink(missing_ok=True)
        lock.release()


def find_schedule(path: Path) -> Scheduled | None:
    """The loop of the working file `path`, alive or killed; None where there is none."""
    said = _read(schedule_note(path))
    if said is None:
        return None
    lock = _lock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return said
    except (OSError, NotImplementedError):
        return said  # not ours to lock, so that it cannot be told
    lock.release()
    return replace(said, is_alive=False)


def schedule_note(path: Path) -> Path:
    """The note of the loop of a working file."""
    return path.with_name(f".{path.name}.schedule.json")


def schedule_lock(path: Path) -> Path:
    """Its lock; it stays, and says nothing by being there."""
    return path.with_name(f".{path.name}.schedule.lock")


def _lock(path: Path) -> FileLock:
    return FileLock(schedule_lock(path), mode=0o600, thread_local=False)


def _read(file: Path) -> Scheduled | None:
    try:
        noted: dict[str, Any] = json.loads(file.read_text("utf-8"))
        for name in ("started_time", "next_time", "running_since", "last_time"):
            noted[name] = noted[name] and datetime.fromisoformat(noted[name])
        return Scheduled(**{field.name: noted[field.name] for field in fields(Scheduled)})
    except (OSError, ValueError, KeyError, TypeError):
        return None  # there is none, or it is not ours
