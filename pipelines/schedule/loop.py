"""The loop: wait for a tick, run, wait for the next.

Runs follow each other, never side by side. Ticks that pass while a run is going on, or while the
machine sleeps, are made up for by one run, however many they were.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from pipelines.logs import Write
from pipelines.moments import shown

from .note import Note
from .ticks import Ticks

ENDING = (2, 77)
"""Exit codes that the next run would have as well: somebody has to change something first."""


class World(Protocol):
    """Time, and what happens in it."""

    @property
    def is_stopping(self) -> bool:
        """Whether the loop is to end."""

    def now(self) -> datetime:
        """The time, in UTC."""

    def wait(self, until: datetime) -> None:
        """Come back then, or when the loop is to end; at once where that is past."""

    def run(self) -> int:
        """One run, from beginning to end; its exit code."""


def loop(
    ticks: Ticks,
    world: World,
    note: Note,
    write: Write,
    jitter: timedelta,
    chance: Callable[[], float],
) -> int:
    """Run at each tick until somebody stops it (0), or a run ends with one of ENDING.

    Each tick is put off by a part of `jitter` that `chance` (0 to 1) says.
    """
    tick = ticks.first(world.now())
    while True:
        due = tick + jitter * chance()
        note.waits(due)
        if due > world.now():
            write(f"next run at {shown(due)}", "schedule", next_time=due)
        world.wait(due)
        if world.is_stopping:
            return _stopped(write)
        begun = world.now()
        note.runs(begun)
        code = world.run()
        note.ran(world.now(), code)
        if world.is_stopping:
            return _stopped(write)
        if code in ENDING:
            write(
                f"The scheduler ends: the run ended with {code}, and so would the next one.",
                "schedule",
                "error",
                exit_code=code,
            )
            return code
        tick = ticks.after(begun)


def _stopped(write: Write) -> int:
    write("The scheduler was stopped.", "schedule")
    return 0
