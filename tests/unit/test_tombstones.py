"""Marks of what is gone, on records of raw written by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from raw_account import Account

from warehouse.tombstones import (
    Mark,
    PublicTable,
    count_ids,
    find_absent,
    forget_returned,
    live_rows,
    mark,
)

PERSONS = PublicTable("persons", ("persons",))
LEADS = PublicTable("leads", ("leads", "archived_leads"))
LATER = datetime(2026, 1, 1, 0, 0, tzinfo=UTC)  # minute 60 of the records, which are in Berlin
DELETED = datetime(2025, 12, 31, tzinfo=UTC)


@pytest.fixture
def account() -> Account:
    return Account()


def put(account: Account, table: PublicTable, *marks: Mark, at: datetime = LATER) -> int:
    return mark(account.connection, table, marks, marked_time=at, run_id="run")


def tombstones(account: Account) -> list[tuple[Any, ...]]:
    return account.rows(
        "select id, reason, epoch(deleted_time)::bigint, merged_into_id "
        "from ops.tombstones order by id"
    )


def test_a_mark_is_kept_with_its_reason_and_time(account: Account) -> None:
    account.records("persons", {"id": 1}, {"id": 2})
    assert put(account, PERSONS, Mark(1, "merged", DELETED, 2)) == 1
    assert tombstones(account) == [("1", "merged", int(DELETED.timestamp()), 2)]


def test_without_a_known_time_it_is_when_it_was_found_out(account: Account) -> None:
    account.records("persons", {"id": 1})
    put(account, PERSONS, Mark("1", "absent"))
    assert tombstones(account) == [("1", "absent", int(LATER.timestamp()), None)]


def test_records_that_are_not_loaded_are_passed_over(account: Account) -> None:
    account.records("persons", {"id": 1})
    assert put(account, PERSONS, Mark(5, "deleted")) == 0
    assert tombstones(account) == []


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        ("absent", "deleted", "deleted"),
        ("deleted", "absent", "deleted"),
        ("deleted", "merged", "merged"),
        ("merged", "deleted", "merged"),
        ("converted", "deleted", "converted"),
    ],
)
def test_what_is_known_more_exactly_stays(
    account: Account, first: Any, second: Any, kept: str
) -> None:
    account.records("persons", {"id": 1})
    put(account, PERSONS, Mark(1, "deleted" if first == "converted" else first))
    account.connection.execute("update ops.tombstones set reason = $r", {"r": first})
    assert put(account, PERSONS, Mark(1, second)) == 0, "it was marked before"
    assert [row[1] for row in tombstones(account)] == [kept]


def test_a_copy_read_after_the_evidence_is_stronger_than_it(account: Account) -> None:
    account.records("persons", {"id": 1}, read_minute=50)
    assert put(account, PERSONS, Mark(1, "deleted"), at=LATER - timedelta(minutes=20)) == 0


def test_a_record_that_changed_after_it_was_deleted_is_back(account: Account) -> None:
    account.records("persons", {"id": 1}, {"id": 2}, read_minute=1)
    account.connection.execute(
        "update raw.persons set update_time = $t where id = 1",
        {"t": DELETED + timedelta(seconds=5)},
    )
    assert put(account, PERSONS, Mark(1, "deleted", DELETED), Mark(2, "deleted", DELETED)) == 1
    assert [row[0] for row in tombstones(account)] == ["2"]


def test_a_record_that_was_read_again_loses_its_mark(account: Account) -> None:
    account.records("persons", {"id": 1}, {"id": 2}, read_minute=1)
    put(account, PERSONS, Mark(1, "deleted"), Mark(2, "deleted"), at=LATER - timedelta(minutes=20))
    assert forget_returned(account.connection, PERSONS) == 0
    account.records("persons", {"id": 2, "name": "back"}, read_minute=50)
    assert forget_returned(account.connection, PERSONS) == 1
    assert [row[0] for row in tombstones(account)] == ["1"]


def test_a_lead_counts_where_its_newest_copy_is(account: Account) -> None:
    account.records("leads", {"id": "a"}, {"id": "b"}, {"id": "c"}, api="v1", read_minute=1)
    account.records("archived_leads", {"id": "b"}, api="v1", read_minute=2)
    account.records("archived_leads", {"id": "c"}, api="v1", read_minute=1)
    put(account, LEADS, Mark("a", "absent"))
    assert live_rows(account.connection, LEADS) == {"leads": 0, "archived_leads": 2}


def test_absent_are_live_records_that_no_list_had(account: Account) -> None:
    account.records("leads", {"id": "a"}, {"id": "b"}, {"id": "c"}, api="v1")
    account.records("archived_leads", {"id": "c"}, {"id": "d"}, api="v1")
    put(account, LEADS, Mark("b", "absent"))
    listed = [pa.array(["a"]), pa.array(["a"]), pa.array([], pa.string())]
    assert find_absent(account.connection, LEADS, listed) == {
        "leads": [],
        "archived_leads": ["c", "d"],
    }
    assert count_ids(listed) == 1


def test_what_a_start_date_keeps_out_of_the_list_is_not_absent(account: Account) -> None:
    account.records("persons", {"id": 1}, {"id": 2}, {"id": 3})
    account.connection.execute(
        "update raw.persons set update_time = make_timestamptz(2025 + id::int, 1, 1, 0, 0, 0) "
        "where id < 3"
    )
    since = datetime(2026, 6, 1, tzinfo=UTC)
    assert find_absent(account.connection, PERSONS, [], since) == {"persons": ["2"]}
    assert live_rows(account.connection, PERSONS, since) == {"persons": 1}
    assert live_rows(account.connection, PERSONS) == {"persons": 3}
