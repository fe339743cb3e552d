"""The loop in this process: its clock, its signals, and a process for each run.

Each run is a process of its own. It leaves nothing behind in one that lives for months: no memory
(DuckDB, Arrow and dlt's schemas take hundreds of megabytes), no state of dlt, which is global. A
run that the system kills for its memory does not take the loop with it, and a changed
config.toml, secret or version counts from the next run on. The price is a start of Python and
imports, under a second of a run.
"""

from __future__ import annotations

import random
import select
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from types import FrameType
from typing import Any

from pipelines.config import Settings
from pipelines.logs import Log

from .loop import loop
from .note import alone
from .ticks import Every, read_jitter, read_schedule

_LOOK = 30.0  # seconds: so soon a wait sees that the clock was set, or that the machine has slept
_ENDING = (signal.SIGTERM, signal.SIGINT)
_SIGNALS = (*_ENDING, *([signal.SIGCHLD] if hasattr(signal, "SIGCHLD") else []))


class Processes:
    """The world of `loop` as it is. SIGTERM and SIGINT end it.

    The first one is handed to the run under way as SIGTERM, see `pipelines.stopping`; the second
    one kills that run, which costs it the package under way.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self.command = command
        self._signals = 0
        self._run: subprocess.Popen[bytes] | None = None
        self._ring, self._bell = socket.socketpair()
        self._ring.setblocking(False)
        self._bell.setblocking(False)

    @property
    def is_stopping(self) -> bool:
        """Whether a signal has come."""
        return bool(self._signals)

    def now(self) -> datetime:
        """The time, in UTC."""
        return datetime.now(UTC)

    def wait(self, until: datetime) -> None:
        """By the wall clock, whatever happens to that."""
        while not self.is_stopping and (left := (until - self.now()).total_seconds()) > 0:
            self._doze(min(left, _LOOK))

    def run(self) -> int:
        """One run. What a signal ended counts as unexpected, as what it was is not known."""
        # a session of its own: Ctrl-C would reach the run as well as the loop
        with subprocess.Popen(self.command, start_new_session=True) as run:  # noqa: S603 - ours
            self._run = run
            self._hand_on()  # what came while it was started
            while (code := run.poll()) is None:
                self._doze(_LOOK)
            self._run = None
        return code if code >= 0 else 1

    def _doze(self, seconds: float) -> None:
        """Until a signal comes, that of the end of a run among them."""
        select.select([self._bell], [], [], seconds)
        with suppress(BlockingIOError):
            self._bell.recv(4096)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear signals, where this thread gets any.

        Each rings a bell on arrival: what this thread waits for, another one may get.
        """
        before: dict[signal.Signals, Any] = {}
        is_main = threading.current_thread() is threading.main_thread()
        if is_main:
            rung = signal.set_wakeup_fd(self._ring.fileno(), warn_on_full_buffer=False)
            before = {number: signal.signal(number, self._hear) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            if is_main:
                signal.set_wakeup_fd(rung)
            self._ring.close()
            self._bell.close()

    def _hear(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - as signal calls it
        if number in _ENDING:
            self._signals += 1
            self._hand_on()

    def _hand_on(self) -> None:
        if self._run and self._signals == 1:
            self._run.terminate()
        elif self._run and self._signals:
            self._run.kill()


def run_schedule(
    settings: Settings,
    log: Log,
    command: Sequence[str],
    *,
    every: str | None,
    cron: str | None,
    timezone: str | None,
    jitter: str | None,
) -> int:
    """Run `command` by a schedule in the foreground until a signal comes; the exit code.

    Raises ConfigError, and SchedulerRunning where another one works on the same file.
    """
    world = Processes(command)
    ticks = read_schedule(every, cron, timezone, world.now())
    longest = read_jitter(jitter, ticks)
    chance = random.SystemRandom().random
    with world.listening(), alone(settings.warehouse.path, ticks.text, world.now()) as note:
        begin = ", beginning now" if isinstance(ticks, Every) else ""
        log.write(f"{ticks.text}{begin}; Ctrl-C or SIGTERM ends it", "schedule")
        return loop(ticks, world, note, log.write, longest, chance)


def put_off(jitter: str, log: Log) -> bool:
    """Wait a random part of `jitter`, once; whether a signal ended that. Raises ConfigError."""
    longest = read_jitter(jitter)
    world = Processes(())
    due = world.now() + longest * random.SystemRandom().random()
    log.write(f"beginning at {due:%H:%M:%S}Z", "schedule", next_time=due)
    with world.listening():
        world.wait(due)
    return world.is_stopping
