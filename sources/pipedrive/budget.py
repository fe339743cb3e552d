"""What the day still holds, and the share of it that is left to others.

Headers tell the balance as it was before the request they answer (inferred from recordings: three
neighbouring pairs differ by the price of the earlier one). With several requests on their way an
answer may be older than what is known, so the lowest balance counts until one that can only be
newer is higher: then the day was refilled. Whether a failed request is charged is not documented;
it counts as charged until a later answer tells.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from .errors import BudgetSpent
from .transport import Response

LIMIT = "x-daily-ratelimit-token-limit"
REMAINING = "x-daily-ratelimit-token-remaining"


@dataclass(frozen=True)
class DailyBudget:
    """The company's tokens of the day, as far as headers told: the limit, and what is left."""

    limit: int
    remaining: int


@dataclass(frozen=True)
class Spending:
    """The price of one request on its way, and what was known when it was sent."""

    cost: int
    balance: int | None
    unsure: int


class Budget:
    """The day's budget, shared by all threads.

    `reserve` is the share of the limit that is never gone below, as far as headers tell.
    """

    def __init__(self, reserve: float = 0.0) -> None:
        self._reserve = reserve
        self._lock = threading.Lock()
        self._limit: int | None = None
        self._balance: int | None = None  # never lower than the server's, but for a refill
        self._in_flight = 0
        self._unsure = 0  # what may have been charged without our being told, all in all
        self._settled = 0  # the part of it that a later balance has told about

    @property
    def daily(self) -> DailyBudget | None:
        """What is known; None while no header told."""
        with self._lock:
            if self._limit is None or self._balance is None:
                return None
            return DailyBudget(self._limit, max(0, self._certain(self._balance)))

    def take(self, cost: int) -> Spending:
        """Set the price of a request aside. Raises BudgetSpent rather than touch the reserve."""
        with self._lock:
            if self._limit is not None and self._balance is not None and self._reserve:
                certain = self._certain(self._balance)
                if certain - self._in_flight - cost < self._limit * self._reserve:
                    raise BudgetSpent(
                        f"{certain} of today's {self._limit} tokens are left, "
                        f"and {self._reserve:.0%} are reserved for others.",
                        "What was loaded is kept. Run again when the day is over, or lower "
                        "daily_reserve.",
                        kind="reserve",
                    )
            self._in_flight += cost
            return Spending(cost, self._balance, self._unsure)

    def settle(self, spending: Spending, response: Response | None) -> None:
        """Take note of what came of a request; None: nothing came."""
        limit = response.number(LIMIT) if response else None
        told = response.number(REMAINING) if response else None
        is_charged = response is not None and response.is_success
        with self._lock:
            self._in_flight -= spending.cost
            if limit:
                self._limit = limit
            if told is not None:
                self._note(spending, told, told - spending.cost if is_charged else told)
            if told is None or not is_charged:
                self._unsure += spending.cost

    def _certain(self, balance: int) -> int:
        return balance - (self._unsure - self._settled)

    def _note(self, spending: Spending, told: int, left: int) -> None:
        known, before = self._balance, spending.balance
        is_refilled = before is None or told > before
        is_news = known is None or (before is not None and known <= before)
        if known is None or (is_refilled and is_news):
            self._balance = left
        else:
            self._balance = min(known, left)
        self._settled = max(self._settled, spending.unsure)
