"""How long one request waits before it is sent again, and when that is enough."""

from __future__ import annotations

import tenacity

from .errors import BurstLimited, TryLater
from .pace import WINDOW

_TIMES = 3
_BACKOFF = tenacity.wait_random_exponential(multiplier=1, max=30)


class Waits:
    """The attempts of one request, and how long it may still wait between them.

    One wait is never longer than `longest`, in seconds, all of them never longer than three times
    that.
    """

    def __init__(self, longest: float) -> None:
        self.attempt = 1
        self.are_used_up = False  # a wait was asked for when nothing was left
        self._longest = longest
        self._left = longest * _TIMES

    @property
    def can_wait(self) -> bool:
        """Whether another wait would be longer than nothing."""
        return self._left > 0

    def take(self, seconds: float) -> float:
        """So much of a wait as may be waited."""
        self.are_used_up = self._longest > 0 and self._left <= 0
        granted = max(0.0, min(seconds, self._longest, self._left))
        self._left -= granted
        return granted


def wanted(state: tenacity.RetryCallState) -> float:
    """How long to wait: what Pipedrive asks for, else a backoff with jitter."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, TryLater) and error.retry_after is not None:
        return error.retry_after
    least = WINDOW if isinstance(error, BurstLimited) else 0.0
    return max(least, _BACKOFF(state))
