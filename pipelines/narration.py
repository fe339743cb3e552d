"""What a run says on stderr while it works: a live view on a terminal, plain lines elsewhere."""

from __future__ import annotations

import logging
import sys
from types import TracebackType
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from sources.pipedrive.reading import Progress


class Narrator:
    """Plain lines, one per event. Also carries the log of waits and retries to stderr."""

    def __enter__(self) -> Narrator:
        self._handler = logging.StreamHandler(sys.stderr)
        self._handler.setFormatter(logging.Formatter("%(message)s"))
        logger = logging.getLogger("pipeduck")
        logger.addHandler(self._handler)
        logger.propagate = False
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        logging.getLogger("pipeduck").removeHandler(self._handler)

    def say(self, text: str) -> None:
        """One line."""
        click.echo(text, err=True)

    def page(self, progress: Progress) -> None:
        """A page of an entity has come. Called from several threads."""


class LiveNarrator(Narrator):
    """A terminal: rows counted up per entity while they come."""

    def __enter__(self) -> LiveNarrator:
        from rich.console import Console
        from rich.progress import Progress as Bars
        from rich.progress import SpinnerColumn, TextColumn

        super().__enter__()
        self._bars: Bars = Bars(
            SpinnerColumn(),
            TextColumn("{task.description:<20}"),
            TextColumn("{task.completed:>9,.0f} rows"),
            TextColumn("{task.fields[requests]:>5} requests"),
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

    def say(self, text: str) -> None:
        """One line, above the live view."""
        self._bars.console.print(text, markup=False, highlight=False)

    def page(self, progress: Progress) -> None:
        """Count the rows up."""
        name = progress.entity
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=None, requests=0)
        self._bars.update(
            self._tasks[name],
            completed=progress.rows_listed,
            requests=progress.meter.requests,
        )


def narrator() -> Narrator:
    """The right one for this stderr."""
    return LiveNarrator() if sys.stderr.isatty() else Narrator()
