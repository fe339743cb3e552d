"""How fast to ask: the burst window as the headers tell it, shared by all threads.

`x-ratelimit-limit`, `-remaining` and `-reset` speak of a rolling window of two seconds; `reset` is
in seconds from now (API: rate limiting page, recordings). Each of them may be missing. Where none
ever came there is no pacing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from .transport import Response

WINDOW = 2.0
"""Seconds of the burst window."""
_LONGEST = 60  # a reset beyond this is no number of seconds of such a window


@dataclass(frozen=True)
class Turn:
    """Leave to send one request; with a `wait` it is none yet: ask again in so many seconds."""

    number: int
    wait: float = 0.0


class Pace:
    """Who may send when. `clock` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._limit: int | None = None
        self._left: int | None = None
        self._reset_at = 0.0
        self._held_until = 0.0
        self._in_flight = 0
        self._last_number = 0
        self._newest = 0  # the number of the latest turn whose answer told what is left

    @property
    def limit(self) -> int | None:
        """Requests that the window allows, as the headers told; None while they did not."""
        with self._lock:
            return self._limit

    def take(self, *, is_forced: bool = False) -> Turn:
        """A turn, or how long to wait before asking for one again; a forced one comes at once."""
        with self._lock:
            wait = 0.0 if is_forced else self._wait()
            if wait > 0:
                return Turn(0, wait)
            self._in_flight += 1
            self._last_number += 1
            return Turn(self._last_number)

    def give_back(self, turn: Turn, response: Response | None) -> None:
        """End a turn with what its answer tells; None: nothing came."""
        with self._lock:
            self._in_flight -= 1
            told = response.number("x-ratelimit-remaining") if response else None
            if response is None or told is None:
                if self._left is not None:
                    self._left -= 1
                return
            self._limit = response.number("x-ratelimit-limit") or self._limit
            is_newest = turn.number > self._newest
            # Answers overtake each other: an older one can only show that less is left.
            self._left = told if is_newest or self._left is None else min(self._left, told)
            self._newest = max(self._newest, turn.number)
            seconds = response.number("x-ratelimit-reset")
            known = seconds is not None and seconds <= _LONGEST
            self._reset_at = self._clock() + (float(seconds) if known and seconds else WINDOW)

    def hold(self, seconds: float) -> None:
        """Let nobody send for so long: the window was overrun."""
        with self._lock:
            self._held_until = max(self._held_until, self._clock() + seconds)

    def _wait(self) -> float:
        now = self._clock()
        if now < self._held_until:
            return self._held_until - now
        if self._left is None:
            return 0.0
        if now >= self._reset_at:
            self._left = self._limit  # None where the limit was never told: nothing to go by
            return 0.0
        return self._reset_at - now if self._left - self._in_flight < 1 else 0.0
