"""What has been read of one entity, as it is counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from .client import Meter
from .errors import SourceError

Mode = Literal["first", "full", "incremental", "listing"]


@dataclass
class Progress:
    """What has been read of one entity: a row of `ops.steps`."""

    entity: str
    mode: Mode | None = None
    started_time: datetime = field(default_factory=lambda: datetime.now(UTC))
    seconds: float = 0.0  # spent waiting for answers and decoding them
    meter: Meter = field(default_factory=Meter)
    rows_expected: int | None = None  # of a whole list, as many as were stored before
    rows_listed: int = 0
    rows_new: int = 0
    rows_changed: int = 0
    rows_unchanged: int = 0
    rows_deleted: int | None = None  # marked as gone, and live afterwards: filled in by the run
    rows_live: int | None = None
    watermark: datetime | None = None
    note: str | None = None  # why an optional list was left out
    error: SourceError | None = None

    @property
    def rows_loaded(self) -> int:
        """Rows that were new or differed from what is stored."""
        return self.rows_new + self.rows_changed

    def add(self, second: Progress) -> None:
        """Count what a second look at the same list cost and brought."""
        self.meter.requests += second.meter.requests
        self.meter.tokens += second.meter.tokens
        self.seconds += second.seconds
        self.rows_new += second.rows_new
        self.rows_changed += second.rows_changed
