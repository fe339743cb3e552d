"""Token budget of the day, burst window, and the headers that tell about both.

https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting and recorded headers.
"""

import time
from collections import deque
from collections.abc import Callable
from datetime import date

from sources.sandbox.account import Account
from sources.sandbox.answers import Answer, burst_exceeded, daily_budget_spent

WINDOW = 2.0
"""Seconds of the rolling burst window."""


class Limits:
    """What a token may still ask. The day is that of the account's clock, from midnight UTC.

    The burst window is that of `clock`, the real one unless it is replaced. The caller holds the
    account's lock.
    """

    def __init__(self, account: Account) -> None:
        self.account = account
        self.clock: Callable[[], float] = time.monotonic
        self.daily_tokens = account.options.daily_tokens
        self.spent = 0
        self._day: date = account.now.date()
        self._recent: deque[float] = deque()

    @property
    def remaining(self) -> int:
        """Tokens left today."""
        if self.account.now.date() != self._day:
            self._day, self.spent = self.account.now.date(), 0
        return max(0, self.daily_tokens - self.spent)

    def refuse(self, cost: int) -> Answer | None:
        """Give the 429 that this request deserves, or None and count it in the burst window."""
        options = self.account.options
        now = self.clock()
        while self._recent and self._recent[0] <= now - WINDOW:
            self._recent.popleft()
        if options.enforce_burst and len(self._recent) >= options.burst_limit:
            return burst_exceeded()
        self._recent.append(now)
        if cost > self.remaining:
            clock = self.account.now
            into_the_day = clock.hour * 3600 + clock.minute * 60 + clock.second
            return daily_budget_spent(86_400 - into_the_day)
        return None

    def headers(self, remaining: int) -> dict[str, str]:
        """Give the rate-limit headers; `remaining` is the balance before this request.

        A burst limit that is not enforced is never told to be near, or clients would wait for it.
        """
        options = self.account.options
        if not options.rate_limit_headers:
            return {}
        asked = len(self._recent) if options.enforce_burst else 1
        return {
            "x-ratelimit-limit": str(options.burst_limit),
            "x-ratelimit-remaining": str(max(0, options.burst_limit - asked)),
            "x-ratelimit-reset": "2",
            "x-daily-ratelimit-token-limit": str(self.daily_tokens),
            "x-daily-ratelimit-token-remaining": str(remaining),
            "access-control-expose-headers": "X-RateLimit-Remaining, X-RateLimit-Limit, "
            "X-RateLimit-Reset, X-Daily-RateLimit-Token-Limit, X-Daily-RateLimit-Token-Remaining",
        }
