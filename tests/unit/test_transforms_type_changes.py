"""Values whose field has another type by now, and values in shapes Pipedrive should not send."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest
from raw_account import KEY, Account, v2_field

OPTIONS = [{"id": 1, "label": "Hot"}, {"id": 2, "label": "Cold"}]


@pytest.fixture
def account() -> Account:
    return Account()


TYPE_CHANGES: list[tuple[str, Any, str, dict[str, Any], list[tuple[str, str, str]]]] = [
    ("varchar", "12 EUR", "monetary", {"": None, "_currency": None},
     [("cf_x", "12 EUR", "not a DECIMAL(18,4)")]),
    ("varchar", "12.5", "monetary", {"": Decimal("12.5"), "_currency": None}, []),
    ("varchar", "12.5", "double", {"": 12.5}, []),
    ("varchar", "many", "double", {"": None}, [("cf_x", "many", "not a DOUBLE")]),
    ("varchar", "2026-01-02", "date", {"": date(2026, 1, 2)}, []),
    ("varchar", "10:30", "timerange", {"": time(10, 30), "_until": None}, []),
    ("varchar", "Main St 5", "address", {"": "Main St 5", "_country": None}, []),
    ("varchar", "Hot", "enum", {"": None, "_id": None}, [("cf_x_id", "Hot", "not a BIGINT")]),
    ("double", 12.7, "user", {"": None, "_id": None}, [("cf_x_id", "12.7", "not a BIGINT")]),
    ("enum", 2, "set", {"": ["Cold"], "_ids": [2]}, []),
    ("enum", 2, "varchar", {"": "2"}, []),
    ("date", "2026-01-02", "daterange", {"": date(2026, 1, 2), "_until": None}, []),
    ("varchar", "a", "brand_new", {"": '"a"'}, []),
]  # fmt: skip


@pytest.mark.parametrize("api", ["v2", "collection"])
@pytest.mark.parametrize(("old", "value", "new", "expected", "rejected"), TYPE_CHANGES)
def test_a_type_change_types_old_values_anew_or_rejects_them(
    account: Account,
    api: str,
    old: str,
    value: Any,
    new: str,
    expected: dict[str, Any],
    rejected: list[tuple[str, str, str]],
) -> None:
    sent = {KEY: value}
    record = {"id": 1, "custom_fields": sent} if api == "v2" else {"id": 1, **sent}
    check_type_change(account, api, old, record, new, expected, rejected)


SHAPED_CHANGES: list[
    tuple[str, dict[str, Any], str, str, dict[str, Any], list[tuple[str, str, str]]]
] = [
    # v2 sends an object, v1 the parts side by side
    ("v2", {KEY: {"value": 5, "currency": "EUR"}}, "monetary", "varchar", {"": None},
     [("cf_x", '{"value":5,"currency":"EUR"}', "not a VARCHAR")]),
    ("v2", {KEY: {"value": 5, "currency": "EUR"}}, "monetary", "double", {"": None},
     [("cf_x", '{"value":5,"currency":"EUR"}', "not a DOUBLE")]),
    ("v1", {KEY: 5, f"{KEY}_currency": "EUR"}, "monetary", "varchar", {"": "5"}, []),
    ("v1", {KEY: 5, f"{KEY}_currency": "EUR"}, "monetary", "double", {"": 5.0}, []),
    ("v2", {KEY: {"value": "2026-01-01", "until": "2026-01-02"}}, "daterange", "date",
     {"": None}, [("cf_x", '{"value":"2026-01-01","until":"2026-01-02"}', "not a DATE")]),
    ("v1", {KEY: "2026-01-01", f"{KEY}_until": "2026-01-02"}, "daterange", "date",
     {"": date(2026, 1, 1)}, []),
    ("v2", {KEY: [1, 2]}, "set", "varchar", {"": None}, [("cf_x", "[1,2]", "not a VARCHAR")]),
    ("v1", {KEY: "1,2"}, "set", "varchar", {"": "1,2"}, []),
    ("v2", {KEY: [1, 2]}, "set", "enum", {"": None, "_id": None},
     [("cf_x_id", "[1,2]", "not a BIGINT")]),
    ("v1", {KEY: "1,2"}, "set", "enum", {"": None, "_id": None},
     [("cf_x_id", "1,2", "not a BIGINT")]),
    ("v2", {KEY: {"value": "10:00:00", "until": "11:00:00"}}, "timerange", "monetary",
     {"": None, "_currency": None}, [("cf_x", "10:00:00", "not a DECIMAL(18,4)")]),
]  # fmt: skip


@pytest.mark.parametrize(("api", "sent", "old", "new", "expected", "rejected"), SHAPED_CHANGES)
def test_a_type_change_of_a_compound_value_types_it_anew_or_rejects_it(
    account: Account,
    api: str,
    sent: dict[str, Any],
    old: str,
    new: str,
    expected: dict[str, Any],
    rejected: list[tuple[str, str, str]],
) -> None:
    record = {"id": 1, "custom_fields": sent} if api == "v2" else {"id": 1, **sent}
    shape = "v2" if api == "v2" else "collection"
    check_type_change(account, shape, old, record, new, expected, rejected)


def check_type_change(
    account: Account,
    api: str,
    old: str,
    record: dict[str, Any],
    new: str,
    expected: dict[str, Any],
    rejected: list[tuple[str, str, str]],
) -> None:
    account.listing("person_fields", v2_field(KEY, "X", old, options=OPTIONS))
    account.records("persons", record, api=api)
    account.transform()
    assert account.rejected() == []
    account.listing("person_fields", v2_field(KEY, "X", new, options=OPTIONS))
    (change,) = account.transform().changes
    assert f"is of type {new} now, not {old}" in change.text
    columns = ", ".join(f"cf_x{suffix}" for suffix in expected)
    assert account.rows(f"select {columns} from crm.persons") == [tuple(expected.values())]
    assert account.rejected() == rejected


MALFORMED: list[tuple[str, Any, list[tuple[str, str, str]]]] = [
    ("monetary", {"amount": 5}, [("cf_x", '{"amount":5}', "not a DECIMAL(18,4)")]),
    ("address", {"street": "Main St"}, [("cf_x", '{"street":"Main St"}', "not a VARCHAR")]),
    ("daterange", {"from": "2026-01-01"}, [("cf_x", '{"from":"2026-01-01"}', "not a DATE")]),
    ("monetary", {"value": None, "currency": None}, []),
    ("address", {"country": "Germany"}, []),
    ("time", {}, []),
]


@pytest.mark.parametrize(("field_type", "value", "rejected"), MALFORMED)
def test_an_object_without_the_keys_it_should_have_is_rejected(
    account: Account, field_type: str, value: Any, rejected: list[tuple[str, str, str]]
) -> None:
    account.listing("person_fields", v2_field(KEY, "X", field_type))
    account.records("persons", {"id": 1, "custom_fields": {KEY: value}})
    account.transform()
    assert account.rejected() == rejected


@pytest.mark.parametrize(
    ("sent", "rejected"),
    [
        ("oops", [("custom_fields", "oops", "not an object")]),
        (5, [("custom_fields", "5", "not an object")]),
        ([1], [("custom_fields", "[1]", "not an object")]),
        ([], []),
        (None, []),
        ({}, []),
    ],
)
@pytest.mark.parametrize("field_type", ["varchar", "brand_new"])
def test_custom_fields_that_are_no_object_are_rejected(
    account: Account, field_type: str, sent: Any, rejected: list[tuple[str, str, str]]
) -> None:
    account.listing("person_fields", v2_field(KEY, "X", field_type))
    account.records("persons", {"id": 1, "custom_fields": sent})
    account.transform()
    assert account.rejected() == rejected


@pytest.mark.parametrize("value", [{"a": 1}, ["a"]])
def test_a_contact_whose_value_is_no_text_is_rejected(account: Account, value: Any) -> None:
    good = {"value": 'a"value":{b', "label": "work", "primary": True}
    account.records(
        "persons", {"id": 1, "emails": [good]}, {"id": 2, "emails": [good, {"value": value}]}
    )
    account.transform()
    assert account.rows("select primary_email from crm.persons order by id") == [
        (good["value"],),
        (None,),
    ]
    ((column, _, reason),) = account.rejected()
    assert (column, reason) == ("emails", "not a list of e-mails")
