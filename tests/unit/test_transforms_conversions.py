"""Leads that became deals, and deals that became leads again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from raw_account import Account

from transforms.conversions import mark_conversions
from warehouse.publish import is_published, publish

ADD = "2026-05-15T09:55:02Z"
ADDED = datetime(2026, 5, 15, 9, 55, 2, tzinfo=UTC).timestamp()


@pytest.fixture
def account() -> Account:
    return Account()


def mark(account: Account, run_id: str = "run") -> int:
    return sum(mark_conversions(account.connection, run_id=run_id).values())


def tombstones(account: Account) -> list[tuple[Any, ...]]:
    return account.rows(
        "select entity, id, reason, converted_deal_id, converted_lead_id, run_id"
        " from ops.tombstones order by all"
    )


def deal(number: int, lead: str | None, **more: Any) -> dict[str, Any]:
    return {"id": number, "source_lead_id": lead, "add_time": ADD, **more}


@pytest.mark.parametrize("leads", ["leads", "archived_leads"])
@pytest.mark.parametrize("deals", ["deals", "archived_deals"])
def test_a_lead_is_converted_when_a_deal_read_later_names_it(
    account: Account, leads: str, deals: str
) -> None:
    account.records(leads, {"id": "l1"}, {"id": "l2"}, api="v1", read_minute=1)
    account.records(deals, deal(7, "l1"), deal(8, None), deal(9, "unknown"), read_minute=2)
    assert mark(account) == 1
    assert tombstones(account) == [("leads", "l1", "converted", 7, None, "run")]
    assert account.rows("select epoch(deleted_time), minute(marked_time) from ops.tombstones") == [
        (ADDED, 2)
    ]
    account.transform()
    assert account.rows(
        "select status, converted_deal_id, epoch(deleted_time) from crm.leads where id = 'l1'"
    ) == [("converted", 7, ADDED)]
    assert account.one("select source_lead_id from crm.deals where id = 7") == "l1"


@pytest.mark.parametrize("deals", ["deals", "archived_deals"])
@pytest.mark.parametrize("leads", ["leads", "archived_leads"])
def test_a_deal_is_converted_when_a_lead_read_later_names_it(
    account: Account, leads: str, deals: str
) -> None:
    account.records(deals, {"id": 7, "status": "open"}, {"id": 8}, read_minute=1)
    account.records(
        leads,
        {"id": "l1", "source_deal_id": 7, "add_time": "2026-05-15T09:55:02.000Z"},
        {"id": "l2"},
        {"id": "l3", "source_deal_id": 99},
        api="v1",
        read_minute=2,
    )
    assert mark(account) == 1
    assert tombstones(account) == [("deals", "7", "converted", None, "l1", "run")]
    account.transform()
    assert account.rows(
        "select status, converted_lead_id, is_deleted, epoch(deleted_time)"
        " from crm.deals where id = 7"
    ) == [("converted", "l1", True, ADDED)]


def test_marking_again_marks_nothing(account: Account) -> None:
    account.records("leads", {"id": "l1"}, api="v1")
    account.records("deals", deal(7, "l1"))
    assert mark(account, "first") == 1
    assert mark(account, "second") == 0
    account.records("deals", deal(7, "l1", title="edited"), deal(8, None))
    assert mark(account, "third") == 0
    assert tombstones(account) == [("leads", "l1", "converted", 7, None, "first")]


def test_records_of_loads_looked_at_before_are_not_looked_at(account: Account) -> None:
    account.records("leads", {"id": "l1"}, {"id": "l2"}, api="v1")
    account.records("deals", deal(7, "l1"))
    assert mark(account) == 1
    account.connection.execute("delete from ops.tombstones")
    assert mark(account) == 0
    account.records("deals", deal(8, "l2"))
    assert mark(account) == 1
    assert tombstones(account) == [("leads", "l2", "converted", 8, None, "run")]


@pytest.mark.parametrize("minute", [5, 6])
def test_a_lead_read_since_has_come_back_and_is_not_marked(account: Account, minute: int) -> None:
    account.records("leads", {"id": "l1"}, api="v1", read_minute=1)
    account.records("deals", deal(7, "l1"), read_minute=5)
    account.records("archived_leads", {"id": "l1"}, api="v1", read_minute=minute)
    assert mark(account) == 0
    assert tombstones(account) == []


def test_a_deal_read_since_has_come_back_and_is_not_marked(account: Account) -> None:
    account.records("leads", {"id": "l1", "source_deal_id": 7}, api="v1", read_minute=2)
    account.records("archived_deals", {"id": 7}, read_minute=1)
    account.records("deals", {"id": 7}, read_minute=3)
    assert mark(account) == 0


@pytest.mark.parametrize("reason", ["absent", "deleted"])
def test_a_tombstone_of_another_reason_is_replaced(account: Account, reason: str) -> None:
    account.records("leads", {"id": "l1"}, api="v1")
    account.connection.execute(
        "insert into ops.tombstones (entity, id, reason, deleted_time, run_id)"
        " select unnest(['leads', 'persons']), 'l1', $reason, now(), 'earlier'",
        {"reason": reason},
    )
    account.records("deals", deal(7, "l1"))
    assert mark(account) == 0, "it was marked before"
    assert tombstones(account) == [
        ("leads", "l1", "converted", 7, None, "run"),
        ("persons", "l1", reason, None, None, "earlier"),
    ]


def test_of_several_deals_that_name_a_lead_the_oldest_is_its_successor(account: Account) -> None:
    account.records("leads", {"id": "l1"}, api="v1")
    account.records(
        "deals",
        {"id": 1, "source_lead_id": "l1"},
        deal(10, "l1"),
        deal(9, "l1", add_time="2026-05-15 09:55:02"),
        deal(2, "l1", add_time="2026-05-16T00:00:00Z"),
    )
    assert mark(account) == 1
    assert tombstones(account) == [("leads", "l1", "converted", 9, None, "run")]


def test_without_a_time_of_its_own_a_conversion_was_when_the_deal_was_read(
    account: Account,
) -> None:
    account.records("leads", {"id": "l1"}, api="v1")
    account.records("deals", {"id": 7, "source_lead_id": "l1", "add_time": "0000-00-00 00:00:00"})
    assert mark(account) == 1
    assert account.one("select deleted_time = marked_time from ops.tombstones") is True


def test_the_newest_copy_of_a_deal_that_moved_says_whom_it_names(account: Account) -> None:
    account.records("leads", {"id": "l1"}, {"id": "l2"}, api="v1")
    account.records("deals", deal(7, "l1"))
    account.records("archived_deals", deal(7, "l2"))
    assert mark(account) == 1
    assert tombstones(account) == [("leads", "l2", "converted", 7, None, "run")]


def test_a_lead_may_go_to_a_deal_and_back_as_another_lead(account: Account) -> None:
    account.records("leads", {"id": "l1"}, api="v1")
    account.records("deals", deal(7, "l1"))
    account.records("leads", {"id": "l2", "source_deal_id": 7, "add_time": ADD}, api="v1")
    assert mark(account) == 2
    assert tombstones(account) == [
        ("deals", "7", "converted", None, "l2", "run"),
        ("leads", "l1", "converted", 7, None, "run"),
    ]


def test_payloads_that_name_nothing_sensible_mark_nothing(account: Account) -> None:
    account.records("leads", {"id": "l1", "source_deal_id": 7.5}, api="v1", read_minute=2)
    account.records("deals", {"id": 7, "source_lead_id": {"id": "l1"}}, read_minute=2)
    account.connection.execute(
        "insert into raw.deals by name select 8 as id, '[]'::json as payload, '9' as _dlt_load_id"
    )
    assert mark(account) == 0


def test_a_file_without_raw_tables_gets_them(account: Account) -> None:
    account.connection.execute("drop schema raw cascade")
    assert mark(account) == 0
    assert account.one("select count(*) from raw.archived_deals") == 0


def test_the_loads_looked_at_are_no_change_of_the_public_tables(
    account: Account, tmp_path: Path
) -> None:
    account.records("leads", {"id": "l1"}, api="v1")
    account.transform()
    publish(account.connection, tmp_path / "published.duckdb")
    assert mark(account) == 0
    assert account.one("select count(*) from ops.models where name = 'noted conversions'") == 1
    assert is_published(account.connection, tmp_path / "published.duckdb")
    assert not account.transform().is_changed


def test_a_mark_that_fails_leaves_the_file_as_it_was(account: Account) -> None:
    account.records("deals", {"id": 7}, read_minute=1)
    account.records("leads", {"id": "l1"}, api="v1", read_minute=1)
    account.records("deals", deal(8, "l1"), read_minute=2)
    account.connection.execute("alter table ops.tombstones rename converted_lead_id to other")
    account.records("leads", {"id": "l2", "source_deal_id": 7}, api="v1", read_minute=3)
    with pytest.raises(duckdb.BinderException, match="converted_lead_id"):
        mark(account)
    assert account.one("select count(*) from ops.tombstones") == 0
    account.connection.execute("alter table ops.tombstones rename other to converted_lead_id")
    assert mark(account) == 2
