"""Lines on stderr: sentences for people, or one JSON object a line for programs.

A line of JSON has `time` (UTC), `level` (debug, info, warning, error), `event` (a short word that
stays the same), `message`, `run_id` once the run has one, and fields where there are any.
"""

from __future__ import annotations

import json
import logging
import threading
import traceback
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

import click

LogFormat = Literal["text", "json"]
Level = Literal["debug", "info", "warning", "error"]
FORMATS: tuple[LogFormat, ...] = ("text", "json")
_LEVELS: tuple[Level, ...] = ("debug", "info", "warning", "error")


class Log:
    """Where lines go, and the run they belong to. Safe to use from several threads."""

    def __init__(self, form: LogFormat = "text") -> None:
        self.form = form
        self.least: Level = "info"
        """Lines below this level are not written."""
        self.run_id: str | None = None
        self._lock = threading.Lock()

    def write(self, text: str, event: str = "note", level: Level = "info", **fields: Any) -> None:
        """One line. `event` and `fields` are told in JSON alone, as the text says them already."""
        if not self.is_wanted(level):
            return
        if self.form == "json":
            entry = {
                "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z",
                "level": level,
                "event": event,
                "message": text,
                **({"run_id": self.run_id} if self.run_id else {}),
                **fields,
            }
            text = json.dumps(entry, default=str)
        with self._lock:
            click.echo(text, err=True)

    def is_wanted(self, level: Level) -> bool:
        """Whether lines of this level are written."""
        return _LEVELS.index(level) >= _LEVELS.index(self.least)


class Write(Protocol):
    """How a line is written: `Log.write`, or what does more with it."""

    def __call__(self, text: str, event: str = ..., level: Level = ..., **fields: Any) -> None:
        """One line."""


class LogHandler(logging.Handler):
    """Carries the loggers `pipeduck.*` to a log: waits, retries, endpoints that are not served.

    The event is the logger's last name, or what `extra={"event": …}` says; its `fields` likewise.
    """

    def __init__(self, write: Write) -> None:
        super().__init__()
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        """One line for one record."""
        try:
            event = getattr(record, "event", record.name.rpartition(".")[2])
            fields = dict(getattr(record, "fields", {}))
            if record.exc_info and record.exc_info[1]:
                fields["traceback"] = "".join(traceback.format_exception(record.exc_info[1]))
            self._write(record.getMessage(), event, _level(record.levelno), **fields)
        except Exception:  # a line that cannot be made must not end the run that wanted it
            self.handleError(record)


def _level(number: int) -> Level:
    if number >= logging.ERROR:
        return "error"
    if number >= logging.WARNING:
        return "warning"
    return "info" if number >= logging.INFO else "debug"
