"""What `/v1/recents` says, in every form it was seen or documented in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sources.pipedrive.client import Client, Meter, Token
from sources.pipedrive.hosts import find_host
from sources.pipedrive.recents import Gone, Recents, read_recents
from sources.sandbox import Sandbox

DELETED = "2026-05-30 10:00:00"
TIME = datetime(2026, 5, 30, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(persons=30) as opened:
        yield opened


def read(box: Sandbox, *, days: float = 1, page_size: int = 500) -> Recents:
    with Client(find_host("", box.url), Token(box.token), max_wait=0) as client:
        since = box.account.now - timedelta(days=days)
        return read_recents(client, ["persons"], since, page_size, Meter())


def gone(box: Sandbox, *rows: Any) -> list[Gone]:
    box.fault("*/recents", "replace", payload=list(rows))
    return read(box, days=3).gone["persons"]


def person(number: int, **data: Any) -> dict[str, Any]:
    return {"item": "person", "id": number, "data": {"id": number, "active_flag": True, **data}}


def dead(number: int, **data: Any) -> dict[str, Any]:
    return person(number, **{"active_flag": False, "delete_time": DELETED, **data})


def test_nothing_recent_is_nothing_gone(box: Sandbox) -> None:
    box.fault("*/recents", "data_null")
    assert read(box).gone == {"persons": []}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (dead(3), Gone(3, TIME)),
        (dead(3, delete_time=None, update_time=DELETED), Gone(3, TIME)),
        (dead(3, merge_what_id=9), Gone(3, TIME, 9)),
        (dead(3, merge_what_id={"value": 9}), Gone(3, TIME, 9)),
        (dead(3, merge_what_id=3), Gone(3, TIME)),
        ({"item": "person", "id": 3, "data": None}, Gone(3, is_certain=False)),
        ({"item": "person", "id": 3, "data": []}, Gone(3, is_certain=False)),
        ({"item": "person", "id": 3, "data": [dead(3)["data"]]}, Gone(3, TIME)),
        ({**dead(3), "data": {"status": "deleted", "update_time": DELETED}}, Gone(3, TIME)),
        ({**dead(3), "data": {"deleted": True, "update_time": DELETED}}, Gone(3, TIME)),
    ],
)
def test_a_record_is_gone_in_every_form(box: Sandbox, row: dict[str, Any], expected: Gone) -> None:
    assert gone(box, row) == [expected]


def test_a_survivor_names_the_one_that_went_into_it(box: Sandbox) -> None:
    assert gone(box, person(9, merge_what_id=3), dead(3)) == [Gone(3, TIME, 9)]
    assert gone(box, person(9, merge_what_id=3, update_time=DELETED)) == [
        Gone(3, TIME, 9, is_certain=False)
    ]
    assert gone(box, person(9, merge_what_id=3), person(3)) == [], "both are there"


@pytest.mark.parametrize("named_on", ["loser", "survivor"])
def test_one_that_was_merged_and_one_that_was_deleted_later_are_told_apart(
    box: Sandbox, named_on: str
) -> None:
    first, later = "2026-05-30 10:00:00", "2026-05-30 11:00:00"
    loser, survivor = dead(1, delete_time=first), dead(2, delete_time=later)
    (loser if named_on == "loser" else survivor)["data"]["merge_what_id"] = (
        2 if named_on == "loser" else 1
    )
    hour = timedelta(hours=1)
    assert gone(box, loser, survivor) == [Gone(1, TIME, 2), Gone(2, TIME + hour)]


def test_a_time_before_what_was_asked_for_is_no_time_of_deletion(box: Sandbox) -> None:
    old = dead(3, delete_time=None, update_time="2026-01-01 00:00:00")
    assert gone(box, old) == [Gone(3)]


def test_what_came_back_is_as_its_last_row_says(box: Sandbox) -> None:
    assert gone(box, dead(3), person(3)) == []
    assert gone(box, person(3), dead(3)) == [Gone(3, TIME)]


@pytest.mark.parametrize(
    "row", [None, {"item": "note", "id": 3, "data": None}, {"item": "person", "id": None}, {}]
)
def test_rows_that_say_nothing_are_passed_over(box: Sandbox, row: Any) -> None:
    assert gone(box, row) == []


@pytest.mark.parametrize("page_size", [2, 3, 500])
def test_every_page_is_read_while_records_move_to_the_end(page_size: int) -> None:
    with Sandbox(persons=30) as box:
        box.account.advance(60)
        deleted = list(range(1, 13))
        for number in deleted:
            box.account.delete("person", number)
        box.account.edit("person", 20, name="First")
        box.fault(
            "*/recents", "hook", times=3, after=1,
            call=lambda: box.account.edit("person", 20, name="Again"),
        )  # fmt: skip
        found = read(box, days=1 / 24, page_size=page_size).gone["persons"]
        assert {record.id for record in found} == set(deleted)


def test_an_answer_that_begins_later_than_asked_has_a_gap(box: Sandbox) -> None:
    assert not read(box, days=20).has_gap
    assert read(box, days=40).has_gap
