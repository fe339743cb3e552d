"""What the last days cost: requests and tokens by day and by list, from the ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, TextIO

DAYS = 7
Rows = Callable[[str], list[dict[str, Any]]]


@dataclass(frozen=True)
class DayCost:
    """One day (UTC): runs, and what they cost together; of interrupted ones what they told."""

    day: date
    runs: int
    requests: int
    tokens: int
    share_of_day: float | None
    """Of the company's daily tokens, where a run learned them."""


@dataclass(frozen=True)
class ListCost:
    """What reading one list cost, over all days. `recents` are the polls for what is gone."""

    name: str
    requests: int
    tokens: int


@dataclass(frozen=True)
class Costs:
    """The last seven days, newest first, and the lists, dearest first."""

    days: tuple[DayCost, ...]
    lists: tuple[ListCost, ...]


def read_costs(rows: Rows, runs: str, steps: str) -> Costs:
    """The costs, from the ledger's tables as they are called in the file that `rows` asks."""
    since = f"current_date - {DAYS - 1}"
    days = rows(
        f"""
        select
            started_time::date as day,
            count(*) as runs,
            coalesce(sum(requests), 0)::bigint as requests,
            coalesce(sum(tokens), 0)::bigint as tokens,
            sum(tokens) / max(daily_limit) as share_of_day,
        from {runs}
        where started_time::date >= {since}
        group by all
        order by day desc
        """
    )
    lists = rows(
        f"""
        select
            if(step = 'recents', 'recents', entity) as name,
            sum(requests)::bigint as requests,
            coalesce(sum(tokens), 0)::bigint as tokens,
        from {steps}
        where step in ('read', 'recents') and started_time::date >= {since}
        group by all
        having sum(requests) > 0
        order by tokens desc, name
        """
    )
    return Costs(
        tuple(DayCost(**row) for row in days),
        tuple(ListCost(**row) for row in lists),
    )


def print_costs(costs: Costs, stream: TextIO) -> None:
    """The costs for a person."""
    if not costs.days:
        return
    stream.write(f"cost of the last {DAYS} days\n\n")
    stream.write(f"{'day':<20} {'runs':>6} {'requests':>10} {'tokens':>10}  share of the day\n")
    for day in costs.days:
        share = "" if day.share_of_day is None else f"{day.share_of_day:.2%}"
        stream.write(
            f"{day.day.isoformat():<20} {day.runs:>6} {day.requests:>10,} {day.tokens:>10,}  "
            f"{share}".rstrip()
            + "\n"
        )
    stream.write(f"\n{'list':<20} {'':>6} {'requests':>10} {'tokens':>10}\n")
    for entry in costs.lists:
        stream.write(f"{entry.name:<20} {'':>6} {entry.requests:>10,} {entry.tokens:>10,}\n")
