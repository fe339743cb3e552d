"""Standard columns of leads, persons and organizations, from every shape they come in."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from raw_account import Account, v1_field, v2_field

ADD = datetime(2026, 5, 15, 9, 58, 20, tzinfo=UTC)


@pytest.fixture
def account() -> Account:
    return Account()


V2_PERSON: dict[str, Any] = {
    "id": 2,
    "name": "Jane Smith",
    "owner_id": 5,
    "org_id": 3,
    "emails": [
        {"value": "", "primary": False},
        {"value": "a@x.com", "primary": False, "label": "home"},
        {"value": "b@x.com", "primary": True, "label": "work"},
    ],
    "phones": [],
    "label_ids": [2, 9],
    "visible_to": 3,
    "is_deleted": False,
    "add_time": "2026-05-15T09:58:20Z",
    "update_time": "2026-05-15T09:58:20Z",
}
COLLECTION_PERSON: dict[str, Any] = {
    **{k: V2_PERSON[k] for k in ("id", "name", "owner_id", "org_id", "label_ids")},
    "email": V2_PERSON["emails"],
    "phone": [{"value": "", "primary": True}],
    "label": 2,
    "visible_to": "3",
    "active_flag": True,
    "delete_time": None,
    "add_time": "2026-05-15 09:58:20",
    "update_time": "2026-05-15 09:58:20",
}
V1_PERSON: dict[str, Any] = {
    **COLLECTION_PERSON,
    "owner_id": {"id": 5, "name": "Una", "value": 5},
    "org_id": {"name": "Acme", "value": 3},
    "label_ids": None,
    "label": "2,9",
    "picture_id": None,
}


@pytest.mark.parametrize(
    ("api", "record"), [("v2", V2_PERSON), ("collection", COLLECTION_PERSON), ("v1", V1_PERSON)]
)
def test_a_person_is_the_same_in_every_shape(
    account: Account, api: str, record: dict[str, Any]
) -> None:
    account.listing("users", {"id": 5, "name": "Una"})
    account.listing(
        "person_fields",
        v2_field("label_ids", "Labels", "set", is_custom_field=False, options=[OPTION]),
    )
    account.records("organizations", {"id": 3, "name": "Acme"})
    account.records("persons", record, api=api)
    account.transform()
    columns = (
        "name, owner_id, owner_name, organization_id, organization_name, primary_email,"
        " primary_phone, phones, label_ids, labels, visible_to, is_deleted, deleted_time,"
        " epoch_ms(add_time), epoch_ms(update_time)"
    )
    milliseconds = int(ADD.timestamp() * 1000)
    assert account.rows(f"select {columns} from crm.persons") == [
        (
            *("Jane Smith", 5, "Una", 3, "Acme", "b@x.com", None, [], [2, 9]),
            *(["Warm", "unknown option 9"], 3, False, None, milliseconds, milliseconds),
        )
    ]
    assert account.rows("select * from crm.person_emails order by position") == [
        (2, 1, "a@x.com", "home", False),
        (2, 2, "b@x.com", "work", True),
    ]
    assert account.rows("select * from crm.person_phones") == []
    assert account.rejected() == []


OPTION = {"id": 2, "label": "Warm", "color": "red"}

PARTS = {"street_number": "1", "route": "Main St", "country": "USA", "formatted_address": "1 Main"}


@pytest.mark.parametrize("api", ["v2", "collection"])
def test_an_organization_has_its_address_in_parts(account: Account, api: str) -> None:
    if api == "v2":
        address: dict[str, Any] = {"address": {"value": "1 Main St", **PARTS}}
    else:
        address = {"address": "1 Main St", **{f"address_{k}": v for k, v in PARTS.items()}}
    account.listing(
        "organization_fields", v1_field("label", "Label", edit_flag=False, options=[OPTION])
    )
    account.records("organizations", {"id": 3, "name": "Acme", "label": 2, **address}, api=api)
    account.transform()
    assert account.rows(
        "select address, address_street_number, address_route, address_country,"
        " address_formatted_address, address_locality, labels from crm.organizations"
    ) == [("1 Main St", "1", "Main St", "USA", "1 Main", None, ["Warm"])]
    assert account.rejected() == []


LEAD: dict[str, Any] = {
    "id": "a9c7d540-5044-11f1-8fc2-6ded4282a24d",
    "title": "Big one",
    "owner_id": 5,
    "creator_id": 5,
    "label_ids": ["l2", "l1", "l9"],
    "value": {"amount": 15000.5, "currency": "USD"},
    "expected_close_date": "2026-07-01",
    "person_id": 2,
    "organization_id": None,
    "is_archived": False,
    "archive_time": None,
    "channel": 8,
    "was_seen": False,
    "visible_to": "3",
    "add_time": "2026-05-15T09:58:20.164Z",
}


def test_a_lead_has_names_and_labels(account: Account) -> None:
    account.listing("users", {"id": 5, "name": "Una"})
    account.listing("lead_labels", {"id": "l1", "name": "Hot"}, {"id": "l2", "name": "Cold"})
    account.records("persons", {"id": 2, "name": "Pat"})
    account.records("leads", LEAD, api="v1")
    account.transform()
    assert account.rows(
        "select title, status, is_archived, owner_name, creator_name, person_name,"
        " organization_name, labels, value, currency, expected_close_date, channel, was_seen,"
        " visible_to, epoch_ms(add_time), is_deleted from crm.leads"
    ) == [
        (
            *("Big one", "open", False, "Una", "Una", "Pat", None),
            *(["Cold", "Hot", "unknown label l9"], Decimal("15000.5000"), "USD"),
            *(date(2026, 7, 1), 8, False, 3, int(ADD.timestamp() * 1000) + 164, False),
        )
    ]


def test_a_lead_is_one_row_where_it_was_read_last(account: Account) -> None:
    status = "select status || '/' || title from crm.leads"
    account.records("leads", {**LEAD, "title": "1"}, api="v1")
    account.transform()
    assert account.one(status) == "open/1"
    account.records("archived_leads", {**LEAD, "title": "2"}, api="v1")
    account.transform()
    assert account.one(status) == "archived/2"
    account.records("leads", {**LEAD, "title": "3"}, api="v1")
    account.transform()
    assert account.one(status) == "open/3"


def test_a_lead_read_in_both_lists_at_once_is_archived(account: Account) -> None:
    account.records("leads", LEAD, api="v1", read_minute=5)
    account.records("archived_leads", LEAD, api="v1", read_minute=5)
    account.transform()
    assert account.one("select status from crm.leads") == "archived"


@pytest.mark.parametrize(
    ("reason", "status"),
    [("converted", "converted"), ("deleted", "deleted"), ("absent", "deleted")],
)
def test_a_lead_with_a_tombstone_is_gone_and_still_there(
    account: Account, reason: str, status: str
) -> None:
    account.records("leads", LEAD, api="v1")
    account.transform()
    account.connection.execute(
        "insert into ops.tombstones (entity, id, reason, deleted_time, converted_deal_id)"
        " values ('leads', $id, $reason, timestamptz '2026-06-01 00:00:00+00', 77)",
        {"id": LEAD["id"], "reason": reason},
    )
    assert account.transform().is_changed
    assert account.rows(
        "select status, is_deleted, epoch(deleted_time), converted_deal_id from crm.leads"
    ) == [(status, True, datetime(2026, 6, 1, tzinfo=UTC).timestamp(), 77)]
    assert not account.transform().is_changed
    account.connection.execute("delete from ops.tombstones")
    assert account.transform().is_changed


def test_a_merged_person_points_to_the_survivor(account: Account) -> None:
    account.records("persons", {"id": 1, "name": "A"}, {"id": 2, "name": "B", "merge_what_id": 3})
    account.connection.execute(
        "insert into ops.tombstones (entity, id, reason, deleted_time, merged_into_id)"
        " values ('persons', '1', 'merged', now(), 2)"
    )
    account.transform()
    assert account.rows("select id, is_deleted, merged_into_id from crm.persons order by id") == [
        (1, True, 2),
        (2, False, 3),
    ]


@pytest.mark.parametrize(
    "record",
    [
        {"active_flag": False, "delete_time": "2026-05-15 09:58:20"},
        {"is_deleted": True, "update_time": "2026-05-15T09:58:20Z"},
    ],
)
def test_a_record_may_say_itself_that_it_is_deleted(
    account: Account, record: dict[str, Any]
) -> None:
    account.records("persons", {"id": 1, **record})
    account.records("organizations", {"id": 1, **record})
    account.transform()
    for entity in ("persons", "organizations"):
        rows = account.rows(f"select is_deleted, epoch(deleted_time) from crm.{entity}")
        assert rows == [(True, ADD.timestamp())]


BAD: list[tuple[str, str, Any, str, str]] = [
    ("persons", "name", {"first": "J"}, "name", '{"first":"J"}'),
    ("persons", "owner_id", "abc", "owner_id", "abc"),
    ("persons", "owner_id", 12.7, "owner_id", "12.7"),
    ("persons", "org_id", {"name": "no id"}, "organization_id", '{"name":"no id"}'),
    ("persons", "add_time", "yesterday", "add_time", "yesterday"),
    ("persons", "update_time", {"at": 1}, "update_time", '{"at":1}'),
    ("persons", "emails", "a@x.com", "emails", "a@x.com"),
    ("persons", "emails", "[broken", "emails", "[broken"),
    ("persons", "emails", ["a@x.com"], "emails", '["a@x.com"]'),
    ("persons", "email", {"value": "a"}, "emails", '{"value":"a"}'),
    ("persons", "phones", 5, "phones", "5"),
    ("persons", "label_ids", "x", "label_ids", "x"),
    ("persons", "label_ids", [1, "x"], "label_ids", '[1,"x"]'),
    ("persons", "visible_to", "everyone", "visible_to", "everyone"),
    ("persons", "visible_to", 99999999999, "visible_to", "99999999999"),
    ("persons", "birthday", "soon", "birthday", "soon"),
    ("persons", "is_deleted", "maybe", "is_deleted", "maybe"),
    ("persons", "postal_address", ["x"], "postal_address", '["x"]'),
    ("organizations", "name", ["x"], "name", '["x"]'),
    ("organizations", "address", ["x"], "address", '["x"]'),
    ("organizations", "address", {"value": "a", "route": {"x": 1}}, "address_route", '{"x":1}'),
    ("organizations", "annual_revenue", "much", "annual_revenue", "much"),
    ("organizations", "employee_count", "many", "employee_count", "many"),
    ("leads", "title", {"x": 1}, "title", '{"x":1}'),
    ("leads", "value", {"amount": "x", "currency": "EUR"}, "value", "x"),
    ("leads", "value", "x", "value", "x"),
    ("leads", "value", [1], "value", "[1]"),
    ("leads", "label_ids", "x", "label_ids", "x"),
    ("leads", "label_ids", [1], "label_ids", "[1]"),
    ("leads", "expected_close_date", "soon", "expected_close_date", "soon"),
    ("leads", "was_seen", "perhaps", "was_seen", "perhaps"),
]


@pytest.fixture(scope="module")
def bad_account() -> Account:
    """One record for each row of BAD, with its number as id."""
    account = Account()
    for number, (entity, key, value, _, _) in enumerate(BAD):
        account.records(entity, {"id": str(number) if entity == "leads" else number, key: value})
    assert account.transform().rejected == len(BAD)
    return account


@pytest.mark.parametrize("number", range(len(BAD)), ids=[f"{c[0]}-{c[1]}-{c[2]}" for c in BAD])
def test_a_standard_value_that_does_not_fit_is_null_and_rejected(
    bad_account: Account, number: int
) -> None:
    entity, _, _, column, text = BAD[number]
    ((found, reason),) = bad_account.rows(
        f"select ({{c: column_name, v: value}}), reason from crm.rejected_values"
        f" where entity = '{entity}' and id = '{number}'"
    )
    assert found == {"c": column, "v": text}
    assert reason.startswith("not a")
    shown = bad_account.one(f"select {column} from crm.{entity} where id = '{number}'")
    assert shown is None or shown is False  # is_deleted: unknown is not deleted


def test_a_record_that_is_no_object_is_a_row_of_nulls(account: Account) -> None:
    payloads = ["null", "[]", "5", '"text"', "{}"]
    for entity in ("leads", "persons", "organizations"):
        for id_, payload in enumerate(payloads):
            account.connection.execute(
                f"insert into raw.{entity} by name select $id as id, $payload::json as payload,"
                " 'v2' as api, now() as read_time, '1' as _dlt_load_id",
                {"id": id_, "payload": payload},
            )
    account.transform()
    for entity in ("leads", "persons", "organizations"):
        assert account.one(f"select count(*) from crm.{entity}") == len(payloads)


def test_a_zero_date_and_empty_text_are_no_values(account: Account) -> None:
    account.records(
        "persons",
        {"id": 1, "add_time": "0000-00-00 00:00:00", "owner_id": "", "birthday": "", "name": ""},
    )
    account.transform()
    assert account.rows("select name, add_time, owner_id, birthday from crm.persons") == [
        ("", None, None, None)
    ]
    assert account.rejected() == []


def test_reference_tables_keep_what_is_gone_and_say_so(account: Account) -> None:
    account.listing("users", {"id": 1, "name": "A", "is_admin": 1}, {"id": 2, "name": "B"})
    account.listing("currencies", {"id": 1, "code": "EUR", "decimal_points": 2, "active_flag": 1})
    account.listing("lead_sources", {"name": "API"}, {"name": "Deal"})
    account.listing("lead_labels", {"id": "l1", "name": "Hot"}, {"id": "l2", "name": "Cold"})
    account.transform()
    account.listing("users", {"id": 2, "name": "B2"})
    account.listing("lead_sources", {"name": "API"})
    account.listing("lead_labels", {"id": "l2", "name": "Cold"})
    assert account.transform().is_changed
    assert account.rows("select id, name, is_admin, is_deleted from crm.users") == [
        (1, "A", True, True),
        (2, "B2", None, False),
    ]
    assert account.rows("select * from crm.lead_sources") == [("API", False), ("Deal", True)]
    assert account.rows("select id, is_deleted from crm.lead_labels order by id") == [
        ("l1", True),
        ("l2", False),
    ]
    assert account.rows(
        "select code, decimal_points, is_active, is_deleted from crm.currencies"
    ) == [("EUR", 2, True, False)]
