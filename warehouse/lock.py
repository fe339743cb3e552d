"""One at a time: the lock that a command takes before it opens or reads anything.

The lock is the operating system's, and is gone with the process that holds it, however that ends.
A note beside it says who that is; what a killed run left in it is never taken for a run.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic as _now
from typing import Any

from filelock import FileLock, Timeout

from .errors import AlreadyRunning, WarehouseUnusable
from .files import ensure_working_folder, lock_file, note_file, private_files

_PATIENCE = 0.3  # seconds: somebody may hold it for a moment, to see whether it is held
_PROBE = 0.05
_NOTE_EVERY = 1.0  # seconds
_PLACE = "Set path under [warehouse] to a place this user may write to."


@dataclass(frozen=True)
class Running:
    """The run that holds the lock, as it tells itself; None for what is not known."""

    pid: int | None = None
    command: str | None = None
    started_time: datetime | None = None
    run_id: str | None = None
    progress: str | None = None

    @property
    def text(self) -> str:
        """For a person: pid 4711 runs `pipeduck run` since 10:03:04 UTC (persons: 500 rows)."""
        if self.pid is None:
            return "another run of pipeduck is going on"
        since = f" since {_moment(self.started_time)} UTC" if self.started_time else ""
        progress = f" ({self.progress})" if self.progress else ""
        return f"pid {self.pid} runs `pipeduck {self.command or 'run'}`{since}{progress}"


class Lock:
    """The lock while it is held, to be told how far the run is. Safe to use from any thread."""

    def __init__(self, path: Path, running: Running) -> None:
        self._file = note_file(path)
        self._beside = self._file.with_name(f"{self._file.name}.tmp")
        self._guard = threading.Lock()
        self._running = running
        self._written = 0.0
        self._is_held = True
        self._write()

    def tell(self, text: str) -> None:
        """How far the run is, in a few words; written about once a second, however often told."""
        with self._guard:
            self._running = replace(self._running, progress=text)
            if _now() - self._written >= _NOTE_EVERY:
                self._write()

    def identify(self, run_id: str) -> None:
        """The run's id, once the ledger has given it one."""
        with self._guard:
            self._running = replace(self._running, run_id=run_id)
            self._write()

    def _write(self) -> None:
        if not self._is_held:
            return
        self._written = _now()
        text = json.dumps(asdict(self._running), default=str)
        with suppress(OSError):  # a full disk: the run has more to say of that than its note
            self._beside.write_text(text, "utf-8")
            self._beside.replace(self._file)

    def end(self) -> None:
        """Take the note away; what is told from here on is lost."""
        with self._guard, suppress(OSError):
            self._is_held = False
            self._file.unlink(missing_ok=True)
            self._beside.unlink(missing_ok=True)


@contextmanager
def hold(path: Path, command: str) -> Iterator[Lock]:
    """Hold the lock of the working file `path` while `command` works on it.

    The folder is made where it is missing. What is written meanwhile is for its owner only. Raises
    AlreadyRunning at once where another process, or another thread of this one, holds the lock;
    WarehouseUnusable where the folder cannot be written.
    """
    ensure_working_folder(path)
    with private_files():
        lock = _lock(path)
        try:
            lock.acquire(timeout=_PATIENCE, poll_interval=_PROBE)
        except Timeout as error:
            running = _read_note(path)
            raise AlreadyRunning(
                f"{running.text[:1].upper()}{running.text[1:]}, on {path}.",
                "Nothing was done. Wait until it has ended; a run begins where the last one ended.",
            ) from error
        except (OSError, NotImplementedError) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise WarehouseUnusable(
                f"The lock {lock_file(path)} cannot be taken: {reason}.", _PLACE
            ) from error
        held = Lock(path, Running(os.getpid(), command, datetime.now(UTC)))
        try:
            yield held
        finally:
            held.end()
            lock.release()


def find_running(path: Path) -> Running | None:
    """The run that works on `path` now, None where there is none; touches and waits for nothing."""
    if not lock_file(path).is_file():
        return None
    lock = _lock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return _read_note(path)
    except (OSError, NotImplementedError):
        return None  # not ours to lock, so that it cannot be told
    lock.release()
    return None


def _lock(path: Path) -> FileLock:
    # not one lock for all threads of the process: another thread is another run
    return FileLock(lock_file(path), mode=0o600, thread_local=False)


def _read_note(path: Path) -> Running:
    try:
        noted: dict[str, Any] = json.loads(note_file(path).read_text("utf-8"))
        return Running(
            pid=int(noted["pid"]),
            command=noted["command"],
            started_time=datetime.fromisoformat(noted["started_time"]),
            run_id=noted["run_id"],
            progress=noted["progress"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return Running()  # not written yet, or not by us


def _moment(moment: datetime) -> str:
    is_today = moment.astimezone(UTC).date() == datetime.now(UTC).date()
    return f"{moment.astimezone(UTC):{'%H:%M:%S' if is_today else '%Y-%m-%d %H:%M:%S'}}"
