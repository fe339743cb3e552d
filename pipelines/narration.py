"""What a run says on stderr while it works: a live view on a terminal, plain lines elsewhere."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .logs import Level, Log, LogHandler

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from sources.pipedrive.progress import Progress


class Narrator:
    """Plain lines, one per event. Also carries the log of waits and retries to stderr."""

    def __init__(self, log: Log | None = None) -> None:
        self.log = log or Log()
        self.on_progress: Callable[[str], None] = _nobody
        """Told how far the run is, in a few words: who waits for the lock is shown them."""

    def __enter__(self) -> Narrator:
        self._handler = LogHandler(self.write)
        logger = logging.getLogger("pipeduck")
        logger.addHandler(self._handler)
        logger.propagate = False
        logger.setLevel(logging.DEBUG if self.log.is_wanted("debug") else logging.WARNING)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        logging.getLogger("pipeduck").removeHandler(self._handler)

    def begin(self, run_id: str) -> None:
        """The lines that follow belong to this run."""
        self.log.run_id = run_id

    def say(self, text: str, event: str = "note", **fields: Any) -> None:
        """One line. `event` and `fields` are for programs: see `logs`."""
        self.on_progress(text)
        self.write(text, event, "info", **fields)

    def warn(self, text: str, event: str = "warning", **fields: Any) -> None:
        """One line about something that is not as it should be."""
        self.write(text, event, "warning", **fields)

    def write(self, text: str, event: str = "note", level: Level = "info", **fields: Any) -> None:
        """One line of any level."""
        self.log.write(text, event, level, **fields)

    def page(self, progress: Progress) -> None:
        """A page of an entity has come. Called from several threads."""
        self.on_progress(f"{progress.entity}: {progress.rows_listed:,} rows")


class LiveNarrator(Narrator):
    """A terminal: rows, pace, requests and tokens per entity while they come.

    Where it is known how many rows a list has, the time that is left is shown as well.
    """

    def __enter__(self) -> LiveNarrator:
        from rich.console import Console
        from rich.progress import Progress as Bars
        from rich.progress import SpinnerColumn, TextColumn, TimeRemainingColumn

        super().__enter__()
        self._bars: Bars = Bars(
            SpinnerColumn(),
            TextColumn("{task.description:<20}"),
            TextColumn("{task.completed:>9,.0f} rows"),
            TextColumn("{task.fields[pace]:>7,.0f} rows/s"),
            TextColumn("{task.fields[requests]:>5} requests"),
            TextColumn("{task.fields[tokens]:>6} tokens"),
            TimeRemainingColumn(compact=True),
            console=Console(stderr=True),
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()
        super().__exit__(kind, error, trace)

    def write(self, text: str, event: str = "note", level: Level = "info", **fields: Any) -> None:  # noqa: ARG002 - for programs, which have no terminal
        """One line, above the live view."""
        if self.log.is_wanted(level):
            self._bars.console.print(text, markup=False, highlight=False)

    def page(self, progress: Progress) -> None:
        """Count the rows up."""
        super().page(progress)
        name = progress.entity
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(
                name, total=progress.rows_expected, requests=0, tokens=0, pace=0
            )
        self._bars.update(
            self._tasks[name],
            completed=progress.rows_listed,
            requests=progress.meter.requests,
            tokens=progress.meter.tokens,
            pace=progress.rows_listed / max(progress.seconds, 0.001),
        )


def _nobody(text: str) -> None:
    """Where nobody wants to know."""


def narrator(log: Log | None = None) -> Narrator:
    """The right one for this stderr."""
    is_plain = log is not None and (log.form == "json" or not log.is_wanted("info"))
    return LiveNarrator(log) if sys.stderr.isatty() and not is_plain else Narrator(log)
