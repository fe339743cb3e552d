"""When it is time, also where clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter

from pipelines.errors import ConfigError
from pipelines.schedule.place import cron_of
from pipelines.schedule.systemd import calendar
from pipelines.schedule.ticks import Cron, Every, read_cron, read_jitter, read_schedule

MINUTE = timedelta(minutes=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ticks(expression: str, zone: str, since: str, until: str) -> list[datetime]:
    cron, found = read_cron(expression, zone), [at(since)]
    while found[-1] < at(until):
        found.append(cron.after(found[-1]))
    return found[1:-1] if found[-1] > at(until) else found[1:]


def on_the_wall(moments: list[datetime], zone: str) -> list[str]:
    return [f"{moment.astimezone(ZoneInfo(zone)):%d %H:%M}" for moment in moments]


def test_every_goes_on_from_its_start_whatever_was_missed() -> None:
    every = Every(timedelta(minutes=15), at("2026-01-01T10:07:30"))
    assert every.first(every.start) == every.start
    assert every.after(every.start) == at("2026-01-01T10:22:30")
    assert every.after(at("2026-01-01T10:22:29")) == at("2026-01-01T10:22:30")
    assert every.after(at("2026-01-03T00:00:00")) == at("2026-01-03T00:07:30")
    assert every.text == "every 15m"


@pytest.mark.parametrize(
    "expression",
    ["*/15 * * * *", "30 6 * * 1-5", "0 0 1,15 * *", "5 4 13 * 5", "59 23 31 12 *", "@hourly"],
)
def test_in_utc_a_tick_is_where_croniter_has_it(expression: str) -> None:
    moment = at("2026-02-27T13:37:11")
    cron, known = read_cron(expression, "UTC"), croniter(expression, moment)
    for _ in range(30):
        moment = cron.after(moment)
        assert moment == known.get_next(datetime)


def test_a_time_that_the_clock_skips_comes_later_that_day_and_the_next_day_as_ever() -> None:
    found = ticks("30 2 * * *", "Europe/Berlin", "2026-03-27T12:00", "2026-03-30T12:00")
    assert on_the_wall(found, "Europe/Berlin") == ["28 02:30", "29 03:30", "30 02:30"]


def test_a_time_that_the_clock_shows_twice_comes_once() -> None:
    found = ticks("30 2 * * *", "Europe/Berlin", "2026-10-23T12:00", "2026-10-26T12:00")
    assert on_the_wall(found, "Europe/Berlin") == ["24 02:30", "25 02:30", "26 02:30"]
    assert found[1] == at("2026-10-25T00:30")


@pytest.mark.parametrize(
    ("zone", "since", "hours"),
    [
        ("Europe/Berlin", "2026-03-28T23:00", 23),
        ("Europe/Berlin", "2026-10-24T22:00", 25),
        ("America/New_York", "2026-11-01T04:00", 25),
        ("Australia/Lord_Howe", "2026-04-04T13:00", 24.5),
    ],
)
def test_each_quarter_of_an_hour_goes_on_in_real_time_on_the_day_clocks_change(
    zone: str, since: str, hours: float
) -> None:
    until = at(since) + timedelta(hours=hours)
    found = ticks("*/15 * * * *", zone, since, until.replace(tzinfo=None).isoformat())
    assert len(found) == hours * 4
    steps = {later - earlier for earlier, later in pairwise(found)}
    assert steps == {15 * MINUTE}


def test_ticks_of_a_year_are_in_order_and_one_a_day() -> None:
    for zone in ("Europe/Berlin", "America/St_Johns", "Africa/Casablanca", "Asia/Kathmandu"):
        found = ticks("15 2 * * *", zone, "2025-12-31T12:00", "2026-12-31T12:00")
        assert len(found) == 365, zone
        assert found == sorted(set(found))


@pytest.mark.parametrize(
    ("every", "cron", "timezone", "said"),
    [
        (None, None, None, "either --every or --cron"),
        ("15m", "* * * * *", None, "either --every or --cron"),
        ("soon", None, None, "'soon' is not a duration"),
        ("30s", None, None, "too often"),
        ("", "61 * * * *", None, "no cron expression"),
        (None, "hello", None, "no cron expression"),
        (None, "@reboot", None, "no cron expression"),
        (None, "* * * * * *", None, "five fields"),
        (None, "0 0 L * *", None, "five fields"),
        (None, "0 0 * * 5#1", None, "five fields"),
        (None, "0 0 30 2 *", None, "never comes"),
        (None, "0 0 * * *", "Mars/Olympus", "no time zone"),
        (None, "0 0 * * *", "../etc/passwd", "no time zone"),
        ("15m", None, "Europe/Berlin", "--timezone is for --cron"),
    ],
)
def test_what_is_no_schedule_is_told(
    every: str | None, cron: str | None, timezone: str | None, said: str
) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        read_schedule(every, cron, timezone, at("2026-01-01"))
    assert caught.value.exit_code == 2
    assert caught.value.hint


def test_a_delay_is_shorter_than_the_time_between_runs() -> None:
    every = Every(timedelta(minutes=15), at("2026-01-01"))
    assert read_jitter("30s", every) == timedelta(seconds=30)
    assert read_jitter(None) == timedelta()
    for text in ("15m", "1h"):
        with pytest.raises(ConfigError, match="not shorter"):
            read_jitter(text, every)
    with pytest.raises(ConfigError, match="not a duration"):
        read_jitter("a while")


@pytest.mark.parametrize(
    ("every", "expected"),
    [
        (1, "* * * * *"),
        (15, "7,22,37,52 * * * *"),
        (60, "37 * * * *"),
        (360, "37 */6 * * *"),
        (1440, "37 3 * * *"),
    ],
)
def test_what_comes_every_so_often_is_cron_too(every: int, expected: str) -> None:
    found = cron_of(Every(every * MINUTE, at("2026-01-01")), offset=37)
    assert found == expected
    ticks_ = croniter(found, at("2026-01-01"))
    first, second = ticks_.get_next(datetime), ticks_.get_next(datetime)
    assert second - first == every * MINUTE


@pytest.mark.parametrize("minutes", [7, 90, 2880])
def test_what_cron_cannot_say_is_told(minutes: int) -> None:
    with pytest.raises(ConfigError, match="cron cannot say"):
        cron_of(Every(minutes * MINUTE, at("2026-01-01")))


def test_cron_as_calendar_events() -> None:
    def events(expression: str) -> list[str]:
        return calendar(Cron(expression, ZoneInfo("Europe/Berlin")))

    assert events("*/20 6-8 * * mon-fri") == [
        "Mon,Tue,Wed,Thu,Fri *-*-* 06,07,08:00,20,40:00 Europe/Berlin"
    ]
    assert events("0 0 1 1,7 *") == ["*-01,07-01 00:00:00 Europe/Berlin"]
    assert events("0 4 13 * 5") == [
        "*-*-13 04:00:00 Europe/Berlin",
        "Fri *-*-* 04:00:00 Europe/Berlin",
    ]
    assert events("* * * * *") == ["*-*-* *:*:00 Europe/Berlin"]
