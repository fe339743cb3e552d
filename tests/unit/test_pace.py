"""The burst window as answers tell it, in whatever order they come."""

from __future__ import annotations

import pytest
from clients import Clock

from sources.pipedrive.pace import Pace
from sources.pipedrive.transport import Response


def told(remaining: object, limit: object = 10, reset: object = 2) -> Response:
    values = {"limit": limit, "remaining": remaining, "reset": reset}
    headers = {f"x-ratelimit-{name}": str(x) for name, x in values.items() if x is not None}
    return Response(200, headers, b"")


def test_requests_on_their_way_count() -> None:
    pace = Pace(Clock())
    pace.give_back(pace.take(), told(2))
    first, second = pace.take(), pace.take()
    assert (first.wait, second.wait) == (0.0, 0.0)
    assert pace.take().wait == 2.0
    pace.give_back(first, told(5))
    assert pace.take().wait == 0.0


def test_after_the_reset_the_window_is_whole_again() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.give_back(pace.take(), told(0, reset=1))
    assert pace.take().wait == 1.0
    clock.sleep(1.0)
    assert pace.take().wait == 0.0


def test_an_answer_that_was_overtaken_only_shows_that_less_is_left() -> None:
    pace = Pace(Clock())
    first, second = pace.take(), pace.take()
    pace.give_back(second, told(1))
    pace.give_back(first, told(9))
    assert [pace.take().wait for _ in range(2)] == [0.0, 2.0]


def test_an_answer_without_headers_uses_up_its_place() -> None:
    pace = Pace(Clock())
    pace.give_back(pace.take(), told(1))
    pace.give_back(pace.take(), None)
    assert pace.take().wait == 2.0


@pytest.mark.parametrize("reset", [None, "soon", 0, 1_900_000_000])
def test_a_reset_that_is_none_is_the_documented_window(reset: object) -> None:
    pace = Pace(Clock())
    pace.give_back(pace.take(), told(0, reset=reset))
    assert pace.take().wait == 2.0


def test_a_window_whose_size_was_never_told_paces_until_its_reset_only() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.give_back(pace.take(), told(0, limit=None))
    assert pace.take().wait == 2.0
    clock.sleep(2.0)
    assert {pace.take().wait for _ in range(50)} == {0.0}


def test_nobody_is_let_through_while_the_window_is_held_but_by_force() -> None:
    clock = Clock()
    pace = Pace(clock)
    pace.hold(5.0)
    pace.hold(1.0)
    assert pace.take().wait == 5.0
    assert pace.take(is_forced=True).wait == 0.0
    clock.sleep(5.0)
    assert pace.take().wait == 0.0
