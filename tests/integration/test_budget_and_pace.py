"""The day's budget and the burst window, as one client keeps them over several threads."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from clients import Clock, Heard, asked, client_of, organizations, persons

from sources.pipedrive.client import Client, DailyBudget
from sources.pipedrive.errors import BudgetSpent
from sources.sandbox import Sandbox


def small(**options: object) -> Sandbox:
    return Sandbox(persons=2, organizations=1, leads=1, archived_leads=0, **options)


def ask_until_spent(client: Client) -> int:
    asked = 0
    while True:
        try:
            persons(client)
        except BudgetSpent:
            return asked
        asked += 1


def test_the_reserve_of_the_day_is_left_to_others() -> None:
    heard = Heard()
    with (
        small(daily_tokens=100) as box,
        client_of(box, daily_reserve=0.5, on_trouble=heard.append) as client,
    ):
        for _ in range(5):
            persons(client)
        with pytest.raises(BudgetSpent, match="reserved") as caught:
            persons(client)
        assert caught.value.exit_code == 75
        assert box.tokens_spent == 50
        assert heard.kinds == ["reserve"]
        with pytest.raises(BudgetSpent):
            organizations(client)
    assert heard.kinds == ["reserve"], "the run is over: nothing else is asked, or told"


def test_requests_on_their_way_count_towards_the_reserve() -> None:
    together = threading.Barrier(3, timeout=20)
    with small(daily_tokens=140) as box, client_of(box, daily_reserve=100 / 140) as client:
        persons(client)  # 130 are left: three more may go
        box.fault("*/persons", "hook", times=3, call=together.wait)
        with ThreadPoolExecutor(4) as pool:
            outcomes = [pool.submit(persons, client) for _ in range(4)]
            errors = [outcome.exception() for outcome in outcomes]
        assert sorted(type(error).__name__ for error in errors) == [
            "BudgetSpent",
            *["NoneType"] * 3,
        ]
        assert box.tokens_spent == 40


@pytest.mark.parametrize("charged", ["status", "reset"])
def test_four_threads_never_go_below_the_reserve(charged: str) -> None:
    with small(daily_tokens=1_000) as box, client_of(box, daily_reserve=0.6) as client:
        persons(client)
        box.fault("*/persons", charged, times=3, after=7)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: ask_until_spent(client), range(4)))
        assert 360 <= box.tokens_spent <= 400


@pytest.mark.parametrize(("fault", "doubted", "told"), [("reset", 70, 60), ("status", 80, 80)])
def test_a_failed_request_counts_as_charged_until_an_answer_tells(
    fault: str, doubted: int, told: int
) -> None:
    """The sandbox charges an answer that is lost on its way, and none that is an error."""
    budgets: list[DailyBudget | None] = []
    with small(daily_tokens=100) as box, client_of(box, daily_reserve=0.5) as client:
        persons(client)
        assert client.daily == DailyBudget(limit=100, remaining=90)
        box.fault("*/persons", fault, times=2)
        box.fault("*/persons", "hook", call=lambda: budgets.append(client.daily))
        persons(client)
        assert budgets == [DailyBudget(100, doubted)]
        assert client.daily == DailyBudget(100, told)


def test_a_new_day_is_noticed() -> None:
    with small(daily_tokens=100) as box, client_of(box, daily_reserve=0.1) as client:
        for _ in range(8):
            persons(client)
        assert client.daily == DailyBudget(100, 20)
        box.account.advance(86_400)
        persons(client)
        assert client.daily == DailyBudget(100, 90)


def test_without_headers_nothing_is_known_and_nothing_reserved() -> None:
    with (
        small(daily_tokens=100, rate_limit_headers=False) as box,
        client_of(box, daily_reserve=0.9) as client,
    ):
        persons(client)
        persons(client)
        assert client.daily is None


def test_requests_and_tokens_are_counted_by_path() -> None:
    with small() as box, client_of(box) as client:
        box.fault("*/persons", "status", code=500)
        client.identify()
        persons(client)
        organizations(client)
        spent = {path: (meter.requests, meter.tokens) for path, meter in client.spent.items()}
        assert spent == {"v1/users/me": (1, 2), "v2/persons": (2, 10), "v2/organizations": (1, 10)}
        assert (client.meter.requests, client.meter.tokens) == (4, 22)


def test_the_burst_window_is_waited_for_instead_of_overrun() -> None:
    clock, heard = Clock(), Heard()
    with (
        small(burst_limit=5, enforce_burst=True) as box,
        client_of(box, clock, on_trouble=heard.append) as client,
    ):
        box.limits.clock = clock
        for _ in range(12):
            persons(client)
        assert {request.status for request in box.requests} == {200}
        assert clock.slept == [2.0, 2.0]
    assert heard.kinds == ["pace", "pace"]
    assert heard.waits == [2.0, 2.0]
    assert not any(trouble.is_final for trouble in heard)


def test_threads_share_the_burst_window() -> None:
    clock = Clock()
    with small(burst_limit=10, enforce_burst=True) as box, client_of(box, clock) as client:
        box.limits.clock = clock
        persons(client)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: persons(client), range(60)))
        assert {request.status for request in box.requests} == {200}
        assert len(box.requests) == 61
        assert sum(clock.slept) >= 5 * 2.0


def test_without_headers_there_is_no_pacing() -> None:
    clock = Clock()
    with small(burst_limit=5, rate_limit_headers=False) as box, client_of(box, clock) as client:
        for _ in range(12):
            persons(client)
    assert clock.slept == []


def test_after_a_burst_429_every_thread_waits() -> None:
    clock = Clock()
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        if not waited:  # the one that got the 429 begins to wait: now another one comes along
            waited.append(seconds)
            other = threading.Thread(target=organizations, args=(client,))
            other.start()
            other.join(timeout=20)
        else:
            waited.append(seconds)
        clock.sleep(seconds)

    with small() as box, client_of(box, clock, sleep=sleep) as client:
        box.fault("*/persons", "burst_429", retry_after=7)
        persons(client)
        assert waited == [7.0, 7.0]
        assert asked(box, "/organizations") == 1


def test_a_wait_for_the_window_is_bounded_too() -> None:
    clock = Clock()
    with small(burst_limit=5, enforce_burst=True) as box, client_of(box, clock) as client:
        box.limits.clock = clock
        for _ in range(5):
            persons(client)
        client._pace.hold(1e9)
        persons(client)
    assert sum(clock.slept) == pytest.approx(3 * 60.0)


def test_a_wait_is_logged_with_its_length(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    with (
        caplog.at_level(logging.INFO, "pipeduck.client"),
        small(burst_limit=2, enforce_burst=True) as box,
        client_of(box, clock) as client,
    ):
        box.limits.clock = clock
        for _ in range(3):
            persons(client)
    assert "v2/persons waits 2.0 s for the burst window." in caplog.text
