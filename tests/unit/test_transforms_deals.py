"""Deals: every shape they come in, and what becomes of them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from raw_account import Account, key, v1_field, v2_field

ADD = datetime(2026, 5, 15, 9, 55, 2, tzinfo=UTC)
LEAD_ID = "a9c7d540-5044-11f1-8fc2-6ded4282a24d"
WARM = {"id": 2, "label": "Warm", "color": "red"}

V2_DEAL: dict[str, Any] = {
    "id": 1,
    "title": "Acme Corp - Enterprise License",
    "creator_user_id": 6,
    "owner_id": 5,
    "value": 25000.5,
    "currency": "USD",
    "person_id": 2,
    "org_id": 3,
    "stage_id": 31,
    "pipeline_id": 7,
    "add_time": "2026-05-15T09:55:02Z",
    "update_time": "2026-05-15T10:16:44Z",
    "stage_change_time": "2026-05-16T08:00:00Z",
    "status": "lost",
    "is_deleted": False,
    "is_archived": False,
    "archive_time": None,
    "probability": 65,
    "lost_reason": "Too dear",
    "visible_to": 3,
    "close_time": "2026-05-17T08:00:00Z",
    "won_time": None,
    "lost_time": "2026-05-17T08:00:00Z",
    "expected_close_date": "2026-07-01",
    "label_ids": [2, 9],
    "origin": "Marketplace",
    "origin_id": "39e5a5a88f2dd367",
    "channel": 8,
    "channel_id": "Nango_dev",
    "source_lead_id": LEAD_ID,
    "arr": 1200,
    "mrr": 100.25,
    "acv": None,
    "custom_fields": {key(1): {"value": 5.5, "currency": "EUR"}},
}
V1_DEAL: dict[str, Any] = {
    **{k: v for k, v in V2_DEAL.items() if k not in ("owner_id", "label_ids", "custom_fields")},
    "user_id": {"id": 5, "name": "Una", "value": 5},
    "creator_user_id": {"id": 6, "name": "Ulf", "value": 6},
    "person_id": {"name": "Pat", "value": 2},
    "org_id": {"name": "Acme", "value": 3},
    "label": "2,9",
    "visible_to": "3",
    "active": False,
    "deleted": False,
    "add_time": "2026-05-15 09:55:02",
    "update_time": "2026-05-15 10:16:44",
    "stage_change_time": "2026-05-16 08:00:00",
    "close_time": "2026-05-17 08:00:00",
    "lost_time": "2026-05-17 08:00:00",
    key(1): 5.5,
    f"{key(1)}_currency": "EUR",
}
del V1_DEAL["is_deleted"]


@pytest.fixture
def account() -> Account:
    return Account()


def tombstone(account: Account, id_: str, reason: str, **more: Any) -> None:
    account.connection.execute(
        "insert into ops.tombstones by name select 'deals' as entity, $id as id,"
        " $reason as reason, timestamptz '2026-06-01 00:00:00+00' as deleted_time,"
        " $lead::varchar as converted_lead_id, $deal::bigint as merged_into_id",
        {"id": id_, "reason": reason, "lead": more.get("lead"), "deal": more.get("deal")},
    )


@pytest.mark.parametrize(("api", "record"), [("v2", V2_DEAL), ("v1", V1_DEAL)])
def test_a_deal_is_the_same_in_every_shape(
    account: Account, api: str, record: dict[str, Any]
) -> None:
    account.listing("users", {"id": 5, "name": "Una"}, {"id": 6, "name": "Ulf"})
    account.listing(
        "deal_fields",
        v2_field("label_ids", "Labels", "set", is_custom_field=False, options=[WARM]),
        v2_field(key(1), "Budget", "monetary"),
    )
    account.listing("pipelines", {"id": 7, "name": "Sales"})
    account.listing("stages", {"id": 31, "name": "Offer", "pipeline_id": 7})
    account.records("persons", {"id": 2, "name": "Pat"})
    account.records("organizations", {"id": 3, "name": "Acme"})
    account.records("deals", record, api=api)
    account.transform()
    ((row),) = account.rows("select deals from crm.deals as deals")
    found = {k: v.astimezone(UTC) if isinstance(v, datetime) else v for k, v in row[0].items()}
    assert found == {
        "id": 1,
        "title": "Acme Corp - Enterprise License",
        "status": "lost",
        "is_archived": False,
        "archive_time": None,
        "owner_id": 5,
        "owner_name": "Una",
        "creator_id": 6,
        "creator_name": "Ulf",
        "person_id": 2,
        "person_name": "Pat",
        "organization_id": 3,
        "organization_name": "Acme",
        "pipeline_id": 7,
        "pipeline_name": "Sales",
        "stage_id": 31,
        "stage_name": "Offer",
        "value": Decimal("25000.5000"),
        "currency": "USD",
        "probability": 65.0,
        "lost_reason": "Too dear",
        "expected_close_date": date(2026, 7, 1),
        "label_ids": [2, 9],
        "labels": ["Warm", "unknown option 9"],
        "origin": "Marketplace",
        "origin_id": "39e5a5a88f2dd367",
        "channel": 8,
        "channel_id": "Nango_dev",
        "source_lead_id": LEAD_ID,
        "converted_lead_id": None,
        "arr": Decimal("1200.0000"),
        "mrr": Decimal("100.2500"),
        "acv": None,
        "visible_to": 3,
        "add_time": ADD,
        "update_time": datetime(2026, 5, 15, 10, 16, 44, tzinfo=UTC),
        "stage_change_time": datetime(2026, 5, 16, 8, tzinfo=UTC),
        "close_time": datetime(2026, 5, 17, 8, tzinfo=UTC),
        "won_time": None,
        "lost_time": datetime(2026, 5, 17, 8, tzinfo=UTC),
        "is_deleted": False,
        "deleted_time": None,
        "merged_into_id": None,
        "cf_budget": Decimal("5.5000"),
        "cf_budget_currency": "EUR",
    }
    assert account.rejected() == []


@pytest.mark.parametrize("api", ["v2", "v1"])
def test_a_deal_of_which_nothing_is_known_is_a_row_of_nulls(account: Account, api: str) -> None:
    keys = dict.fromkeys(V2_DEAL if api == "v2" else V1_DEAL)
    account.records("deals", keys | {"id": 1}, {"id": 2}, api=api)
    account.transform()
    shown = "select columns(* exclude (id, is_archived, is_deleted)) from crm.deals order by id"
    assert {value for row in account.rows(shown) for value in row} == {None}
    assert account.rows("select id, is_archived, is_deleted from crm.deals order by id") == [
        (1, False, False),
        (2, False, False),
    ]
    assert account.rejected() == []


def test_a_payload_that_is_no_object_is_a_row_of_nulls(account: Account) -> None:
    for number, payload in enumerate(["null", "[]", "5", '"text"', "{}"]):
        for table in ("deals", "pipelines", "stages"):
            account.connection.execute(
                f"insert into raw.{table} by name select $id as id, $payload::json as payload,"
                " 'v2' as api, now() as read_time, '1' as _dlt_load_id",
                {"id": number, "payload": payload},
            )
    account.transform()
    for table in ("deals", "pipelines", "stages"):
        assert account.one(f"select count(*) from crm.{table}") == 5


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("Too dear", "Too dear"),
        ({"id": 4, "label": "Too dear"}, "Too dear"),
        ({"id": 4}, '{"id":4}'),
        ({"id": 4, "label": None}, '{"id":4,"label":null}'),
        ('{"label": "as they wrote it"}', '{"label": "as they wrote it"}'),
        ("{", "{"),
        (["a"], '["a"]'),
        ("", ""),
    ],
)
def test_a_lost_reason_is_text_however_it_comes(account: Account, sent: Any, shown: str) -> None:
    account.records("deals", {"id": 1, "lost_reason": sent})
    account.transform()
    assert account.one("select lost_reason from crm.deals") == shown
    assert account.rejected() == []


BAD: list[tuple[str, Any, str, str]] = [
    ("title", {"x": 1}, "title", '{"x":1}'),
    ("status", ["open"], "status", '["open"]'),
    ("owner_id", "abc", "owner_id", "abc"),
    ("user_id", {"name": "no id"}, "owner_id", '{"name":"no id"}'),
    ("creator_user_id", 1.5, "creator_id", "1.5"),
    ("person_id", "x", "person_id", "x"),
    ("org_id", "x", "organization_id", "x"),
    ("pipeline_id", "x", "pipeline_id", "x"),
    ("stage_id", "x", "stage_id", "x"),
    ("value", {"amount": 5}, "value", '{"amount":5}'),
    ("arr", "much", "arr", "much"),
    ("mrr", "much", "mrr", "much"),
    ("acv", "much", "acv", "much"),
    ("currency", ["EUR"], "currency", '["EUR"]'),
    ("probability", "likely", "probability", "likely"),
    ("expected_close_date", "soon", "expected_close_date", "soon"),
    ("label_ids", [1, "x"], "label_ids", '[1,"x"]'),
    ("label", "x", "label_ids", "x"),
    ("origin", {"x": 1}, "origin", '{"x":1}'),
    ("channel", "radio", "channel", "radio"),
    ("source_lead_id", {"x": 1}, "source_lead_id", '{"x":1}'),
    ("visible_to", "everyone", "visible_to", "everyone"),
    ("is_deleted", "maybe", "is_deleted", "maybe"),
    ("merge_what_id", "x", "merged_into_id", "x"),
    ("archive_time", "then", "archive_time", "then"),
    ("add_time", "then", "add_time", "then"),
    ("update_time", "then", "update_time", "then"),
    ("stage_change_time", "then", "stage_change_time", "then"),
    ("close_time", "then", "close_time", "then"),
    ("won_time", "then", "won_time", "then"),
    ("lost_time", "then", "lost_time", "then"),
]


def test_a_value_of_a_deal_that_does_not_fit_is_null_and_rejected(account: Account) -> None:
    account.records("deals", *({"id": n, k: v} for n, (k, v, _, _) in enumerate(BAD)))
    account.transform()
    found = account.rows(
        "select id::bigint, column_name, value from ops.rejected_values"
        " where entity = 'deals' and starts_with(reason, 'not a') order by 1"
    )
    assert found == [(n, column, text) for n, (_, _, column, text) in enumerate(BAD)]
    for number, (_, _, column, _) in enumerate(BAD):
        shown = account.one(f"select {column} from crm.deals where id = {number}")
        assert shown is None or shown is False  # is_deleted: unknown is not deleted


def test_money_with_more_than_four_decimals_is_rounded_and_noted(account: Account) -> None:
    account.records("deals", {"id": 1, "value": 1.23456, "arr": 2.00005})
    account.transform()
    assert account.rows("select value, arr from crm.deals") == [
        (Decimal("1.2346"), Decimal("2.0001"))
    ]
    assert account.rejected() == [("arr", "2.00005", "rounded"), ("value", "1.23456", "rounded")]


def test_a_deal_is_one_row_where_it_was_read_last(account: Account) -> None:
    shown = "select status || '/' || is_archived || '/' || title from crm.deals"
    account.records("deals", {"id": 1, "status": "open", "title": "1"})
    account.transform()
    assert account.one(shown) == "open/false/1"
    account.records("archived_deals", {"id": 1, "status": "won", "title": "2"})
    account.transform()
    assert account.one(shown) == "won/true/2"
    account.records("deals", {"id": 1, "status": "open", "title": "3"})
    account.transform()
    assert account.one(shown) == "open/false/3"


def test_a_deal_read_in_both_lists_at_once_is_archived(account: Account) -> None:
    account.records("deals", {"id": 1}, read_minute=5)
    account.records("archived_deals", {"id": 1}, read_minute=5)
    account.transform()
    assert account.rows("select is_archived from crm.deals") == [(True,)]


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        ("converted", "converted"),
        ("deleted", "deleted"),
        ("merged", "deleted"),
        ("absent", "deleted"),
    ],
)
def test_a_deal_with_a_tombstone_is_gone_and_still_there(
    account: Account, reason: str, status: str
) -> None:
    account.records("deals", {"id": 1, "status": "won"})
    account.transform()
    tombstone(account, "1", reason, lead=LEAD_ID, deal=2)
    assert account.transform().is_changed
    assert account.rows(
        "select status, is_deleted, epoch(deleted_time), converted_lead_id, merged_into_id"
        " from crm.deals"
    ) == [(status, True, datetime(2026, 6, 1, tzinfo=UTC).timestamp(), LEAD_ID, 2)]
    assert not account.transform().is_changed
    account.connection.execute("update ops.tombstones set converted_lead_id = 'another'")
    assert account.transform().is_changed


@pytest.mark.parametrize(
    "record",
    [
        {"status": "open", "is_deleted": True},
        {"status": "deleted"},
        {"status": "deleted", "is_deleted": False},
        {"status": "open", "deleted": True},
    ],
)
def test_a_deal_may_say_itself_that_it_is_deleted(account: Account, record: dict[str, Any]) -> None:
    account.records("deals", {"id": 1, "update_time": "2026-05-15T09:55:02Z", **record})
    account.transform()
    rows = account.rows("select status, is_deleted, epoch(deleted_time) from crm.deals")
    assert rows == [("deleted", True, ADD.timestamp())]


def test_new_deals_are_decoded_alone(account: Account) -> None:
    account.listing("deal_fields", v2_field(key(1), "X", "double"))
    account.records("deals", {"id": 1, "custom_fields": {key(1): "bad"}}, {"id": 2})
    account.transform()
    account.records("archived_deals", {"id": 1, "custom_fields": {key(1): 5}})
    modes = {m.name: m.mode for m in account.transform().models if m.mode != "unchanged"}
    assert modes == {
        "staging.deals": "incremental",
        "staging.deals_custom_fields": "incremental",
    }
    assert account.rows("select id, is_archived, cf_x from crm.deals order by id") == [
        (1, True, 5.0),
        (2, False, None),
    ]
    assert account.rejected() == []


DEAL_FIELDS = (
    v1_field("label", "Label", edit_flag=False, options=[WARM]),
    v1_field(key(1), "X", "enum", options=[{"id": 1, "label": "A"}]),
)


def test_where_no_deal_was_loaded_the_dictionary_says_nothing_of_deals(account: Account) -> None:
    account.listing("deal_fields", *DEAL_FIELDS)
    account.records("leads", {"id": "l", key(1): "1"}, api="v1")
    account.columns = {"deals": {key(1): "mine"}}
    account.transform()
    assert account.rows("select distinct entity from crm.custom_fields") == [("leads",)]
    assert account.rows("select entity, key, label from crm.custom_field_options") == [
        ("leads", key(1), "A")
    ]
    assert "mine" not in account.columns_of("crm.deals")


@pytest.mark.parametrize("table", ["deals", "archived_deals"])
def test_with_the_first_deal_its_fields_and_labels_are_there(account: Account, table: str) -> None:
    account.listing("deal_fields", *DEAL_FIELDS)
    account.records("leads", {"id": "l", key(1): "1"}, api="v1")
    account.transform()
    account.records(table, {"id": 1, "label_ids": [2], "custom_fields": {key(1): 1}})
    account.columns = {"deals": {key(1): "mine"}}
    assert [added.entity for added in account.transform().added] == ["deals"]
    assert account.rows("select mine, mine_id, labels from crm.deals") == [("A", 1, ["Warm"])]
    assert account.rows("select cf_x from crm.leads") == [("A",)]
    assert account.rows("select entity, key, label from crm.custom_field_options") == [
        ("deals", key(1), "A"),
        ("deals", "label_ids", "Warm"),
        ("leads", key(1), "A"),
    ]
