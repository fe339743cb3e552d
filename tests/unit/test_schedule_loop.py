"""The loop over virtual days: nobody waits for anything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import cycle, pairwise
from typing import Any

import pytest

from pipelines.schedule.loop import ENDING, loop
from pipelines.schedule.ticks import Every, Ticks, read_cron

START = datetime(2026, 3, 27, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Days:
    """A world in which runs take as long as they are told, until it is over."""

    def __init__(
        self,
        end: timedelta,
        takes: Callable[[int], timedelta] = lambda _: MINUTE,
        codes: tuple[int, ...] = (0,),
        sleeps: dict[datetime, datetime] | None = None,
    ) -> None:
        self.time = START
        self.end = START + end
        self.takes = takes
        self.codes = cycle(codes)
        self.sleeps = sleeps or {}
        self.runs: list[tuple[datetime, datetime]] = []

    @property
    def is_stopping(self) -> bool:
        return self.time >= self.end

    def now(self) -> datetime:
        return self.time

    def wait(self, until: datetime) -> None:
        for begin, wakes in self.sleeps.items():
            if self.time <= begin < until:
                until = max(until, wakes)
        self.time = min(max(until, self.time), self.end)

    def run(self) -> int:
        begun = self.time
        self.time += self.takes(len(self.runs))
        self.runs.append((begun, self.time))
        return next(self.codes)

    @property
    def begun(self) -> list[str]:
        return [f"{begun:%d %H:%M}" for begun, _ in self.runs]


class Said:
    """A note that is only remembered."""

    def __init__(self) -> None:
        self.said: list[tuple[Any, ...]] = []

    def waits(self, until: datetime) -> None:
        self.said.append(("waits", until))

    def runs(self, since: datetime) -> None:
        self.said.append(("runs", since))

    def ran(self, ended: datetime, exit_code: int) -> None:
        self.said.append(("ran", ended, exit_code))


def live(
    world: Days, ticks: Ticks, jitter: timedelta = timedelta(), chance: float = 1.0
) -> tuple[int, Said]:
    note = Said()

    def quiet(*words: Any, **fields: Any) -> None:
        assert "token" not in str(words)

    return loop(ticks, world, note, quiet, jitter, lambda: chance), note  # type: ignore[arg-type]


def quarter() -> Every:
    return Every(15 * MINUTE, START)


def test_runs_begin_at_once_and_then_at_each_tick() -> None:
    world = Days(timedelta(hours=1))
    assert live(world, quarter())[0] == 0
    assert world.begun == ["27 12:00", "27 12:15", "27 12:30", "27 12:45"]


def test_ticks_missed_by_a_long_run_are_one_run_and_none_overlaps() -> None:
    world = Days(timedelta(hours=2), lambda run: 50 * MINUTE if run == 0 else MINUTE)
    live(world, quarter())
    assert world.begun == ["27 12:00", "27 12:50", "27 13:00", "27 13:15", "27 13:30", "27 13:45"]


def test_runs_that_always_take_too_long_follow_each_other_and_never_overlap() -> None:
    world = Days(timedelta(days=2), lambda run: (run % 40) * MINUTE)
    live(world, quarter(), jitter=5 * MINUTE)
    assert len(world.runs) > 60
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(world.runs))


def test_a_machine_that_slept_makes_up_with_one_run() -> None:
    night = {START + 50 * MINUTE: START + timedelta(hours=9, minutes=7)}
    world = Days(timedelta(hours=10), sleeps=night)
    live(world, quarter())
    assert world.begun == [
        *("27 12:00", "27 12:15", "27 12:30", "27 12:45"),
        *("27 21:07", "27 21:15", "27 21:30", "27 21:45"),
    ]


def test_a_week_without_tokens_is_a_week_of_tries() -> None:
    world = Days(timedelta(days=7), codes=(75,))
    code, note = live(world, quarter())
    assert code == 0
    assert len(world.runs) == 7 * 24 * 4
    assert {entry[2] for entry in note.said if entry[0] == "ran"} == {75}


@pytest.mark.parametrize("code", [0, 1, 3, 4, 75])
def test_what_may_be_better_next_time_does_not_end_the_loop(code: int) -> None:
    world = Days(timedelta(hours=3), codes=(code,))
    assert live(world, quarter())[0] == 0
    assert len(world.runs) == 12


@pytest.mark.parametrize("code", ENDING)
def test_what_somebody_has_to_change_ends_the_loop_with_its_code(code: int) -> None:
    world = Days(timedelta(hours=3), codes=(0, 75, code))
    assert live(world, quarter())[0] == code
    assert len(world.runs) == 3


def test_a_stop_during_a_run_is_no_failure_whatever_the_run_ended_with() -> None:
    world = Days(timedelta(minutes=20), lambda _: timedelta(hours=1), codes=(77,))
    assert live(world, quarter())[0] == 0
    assert len(world.runs) == 1


def test_a_daily_run_keeps_its_hour_when_clocks_change() -> None:
    world = Days(timedelta(days=4))
    live(world, read_cron("30 2 * * *", "Europe/Berlin"))
    assert world.begun == ["28 01:30", "29 01:30", "30 00:30", "31 00:30"]  # 02:30, 03:30, 02:30


def test_a_delay_puts_a_run_off_and_not_the_ones_that_follow() -> None:
    world = Days(timedelta(minutes=45))
    live(world, quarter(), jitter=4 * MINUTE, chance=0.5)
    assert world.begun == ["27 12:02", "27 12:17", "27 12:32"]


def test_the_note_says_what_comes_and_what_was() -> None:
    world = Days(timedelta(minutes=16), codes=(3, 0))
    _, note = live(world, quarter())
    assert note.said == [
        ("waits", START),
        ("runs", START),
        ("ran", START + MINUTE, 3),
        ("waits", START + 15 * MINUTE),
        ("runs", START + 15 * MINUTE),
        ("ran", START + 16 * MINUTE, 0),
    ]
