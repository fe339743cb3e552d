"""When it is time: every so often, or by a cron expression in a time zone.

Times are in UTC outside, on the wall inside. When clocks change, as cron has it: a time that the
wall clock skips comes as much later (02:30 becomes 03:30), one that it shows twice counts once.
Where the hour is a `*`, the ticks go on in real time: an hour shown twice has them twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipelines.config_values import Invalid, as_toml, duration
from pipelines.errors import ConfigError

_SHORTEST = timedelta(minutes=1)
_EVERY = 'It is a number and m, h or d, such as "15m" or "6h".'
_CRON = 'It is "minute hour day month weekday", such as "30 6 * * 1-5" or "*/15 * * * *".'
_WIDEST_JUMP = timedelta(hours=3)  # of any wall clock, and then some


class Ticks(Protocol):
    """A schedule, as the loop and the printed files need it."""

    @property
    def text(self) -> str:
        """For a person: every 15m."""

    def first(self, now: datetime) -> datetime:
        """The first tick of a loop that begins now."""

    def after(self, moment: datetime) -> datetime:
        """The first tick after a moment."""


@dataclass(frozen=True)
class Every:
    """Each `period` from `start` on."""

    period: timedelta
    start: datetime

    @property
    def text(self) -> str:
        """For a person: every 15m."""
        return f"every {shown_duration(self.period)}"

    def first(self, now: datetime) -> datetime:
        """At once."""
        return now

    def after(self, moment: datetime) -> datetime:
        """The next whole period since the start."""
        return self.start + self.period * ((moment - self.start) // self.period + 1)


@dataclass(frozen=True)
class Cron:
    """A cron expression of five fields on the wall clock of `zone`."""

    expression: str
    zone: ZoneInfo

    @property
    def text(self) -> str:
        """For a person: cron 30 6 * * 1-5 (Europe/Berlin)."""
        return f"cron {self.expression} ({self.zone.key})"

    @property
    def fields(self) -> tuple[tuple[int, ...], ...]:
        """Minutes, hours, days, months, weekdays (0 is Sunday); an empty one is every."""
        from croniter import croniter

        expanded, _ = croniter.expand(self.expression)
        return tuple(
            tuple(int(value) for value in values if value != "*") for values in expanded[:5]
        )

    def first(self, now: datetime) -> datetime:
        """The next one: a loop that is started again and again does not run each time."""
        return self.after(now)

    def after(self, moment: datetime) -> datetime:
        """The first tick after a moment. Raises ConfigError where there is none."""
        wall = moment.astimezone(self.zone).replace(tzinfo=None)
        found: list[datetime] = []
        for tick in self._on_the_wall(wall - _WIDEST_JUMP):
            found += [moment_ for moment_ in self._moments(tick) if moment_ > moment]
            if found and tick > wall:
                return min(found)
        raise ConfigError(f"The cron expression {self.expression!r} never comes.", _CRON)

    def _on_the_wall(self, since: datetime) -> Iterator[datetime]:
        from croniter import CroniterError, croniter

        ticks = croniter(self.expression, since)
        while True:
            try:
                yield ticks.get_next(datetime)
            except CroniterError:  # none in fifty years
                return

    def _moments(self, tick: datetime) -> list[datetime]:
        """When the wall clock shows `tick`."""
        early, late = (tick.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        is_skipped = early.astimezone(self.zone).replace(tzinfo=None) != tick
        if self.fields[1]:  # at certain hours
            return [early]
        if is_skipped:
            return []
        return [early] if early == late else [early, late]


def read_every(text: str) -> timedelta:
    """`15m`, `6h`. Raises ConfigError."""
    try:
        found = duration(text)
    except Invalid as error:
        raise ConfigError(f"--every {text!r} is not {error}.", _EVERY) from None
    if found < _SHORTEST:
        raise ConfigError(f"--every {text!r} is too often: at most once a minute.", _EVERY)
    return found


def read_cron(text: str, timezone: str) -> Cron:
    """A cron expression in a time zone. Raises ConfigError where one of them is none."""
    from croniter import CroniterError, croniter

    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(
            f"--timezone {timezone!r} is no time zone.", 'It is like "Europe/Berlin" or "UTC".'
        ) from None
    try:
        expanded, special = croniter.expand(text)
    except (CroniterError, ValueError, KeyError, AttributeError):
        raise ConfigError(f"--cron {text!r} is no cron expression.", _CRON) from None
    numbers = [value for values in expanded for value in values]
    if len(expanded) != 5 or special or not all(v == "*" or isinstance(v, int) for v in numbers):
        raise ConfigError(f"--cron {text!r} has more than cron's five fields.", _CRON)
    found = Cron(" ".join(text.split()), zone)
    found.after(datetime.now(UTC))
    return found


def read_schedule(
    every: str | None, cron: str | None, timezone: str | None, start: datetime
) -> Every | Cron:
    """The one of both that is given. Raises ConfigError."""
    if bool(every) == bool(cron):
        raise ConfigError("A schedule is either --every or --cron.", f"{_EVERY} {_CRON}")
    if cron:
        return read_cron(cron, timezone or "UTC")
    if timezone:
        raise ConfigError("--timezone is for --cron.", "--every is the same in all of them.")
    return Every(read_every(every or ""), start)


def read_jitter(text: str | None, ticks: Ticks | None = None) -> timedelta:
    """`30s`, `2m`; shorter than the time between two ticks, where there are such."""
    try:
        found = duration(text or "")
    except Invalid as error:
        raise ConfigError(f"--jitter {text!r} is not {error}.", 'It is like "30s" or "2m".') from (
            None
        )
    if isinstance(ticks, Every) and found >= ticks.period:
        raise ConfigError(
            f"--jitter {text} is not shorter than --every {shown_duration(ticks.period)}.",
            "A run would be delayed beyond the next one.",
        )
    return found


def shown_duration(period: timedelta) -> str:
    """A duration as it is typed: 15m."""
    return as_toml(period).strip('"') or "0s"
