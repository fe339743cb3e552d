"""What went wrong on the way, event by event, for whoever keeps the books."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Trouble:
    """A request that failed, or had to wait. Holds no secret.

    `time` is when it was noticed, in UTC; `path` like `v2/persons`; `attempt` counts from 1;
    `kind` is a word of `rules.RULES`, or `pace` for a wait without a failure; `wait_seconds` is
    how long the request waits before it is sent (again); `is_final`: it is not sent again.
    """

    time: datetime
    path: str
    params: Mapping[str, str | int]
    attempt: int
    status: int | None
    kind: str
    message: str
    wait_seconds: float
    is_final: bool
