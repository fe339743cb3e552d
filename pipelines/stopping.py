"""Stopping a run from outside: `kill`, `systemctl stop`, `docker stop`.

The first SIGTERM lets the run ask Pipedrive nothing more. What it has read by then is committed,
transformed and published, as when the day's tokens are spent, and it ends with 75: the next run
goes on. Ctrl-C still ends a run at once, and costs at most the package under way.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SLICE = 0.5  # seconds: a wait sees so soon that it is over


class Stopping:
    """Whether somebody wants the run to end, and who is to be told."""

    def __init__(self) -> None:
        self.is_asked = False
        self._told: list[Callable[[], None]] = []

    def tell(self, stop: Callable[[], None]) -> None:
        """`stop` is called as soon as the run is to end; at once, where that was said already."""
        self._told.append(stop)
        if self.is_asked:
            stop()

    def ask(self) -> None:
        """End the run. Called by a signal handler: takes no lock, waits for nothing."""
        self.is_asked = True
        for stop in self._told:
            stop()

    def sleep(self, seconds: float) -> None:
        """Sleep, but not when the run is to end."""
        until = time.monotonic() + seconds
        while not self.is_asked and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _SLICE))


@contextmanager
def stop_on_sigterm() -> Iterator[Stopping]:
    """A `Stopping` that SIGTERM asks, however often it comes."""
    stopping = Stopping()

    def handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - as signal calls it
        stopping.ask()

    if threading.current_thread() is not threading.main_thread():  # where no signal arrives
        yield stopping
        return
    before = signal.signal(signal.SIGTERM, handle)
    try:
        yield stopping
    finally:
        signal.signal(signal.SIGTERM, before)
