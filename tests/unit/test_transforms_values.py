"""Every custom field type, in both shapes: good, bad, absent, null."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest
from raw_account import Account, key, v2_field

from transforms.custom_fields.field_types import FIELD_TYPES

PARTS = {
    "street_number": "5",
    "route": "Main St",
    "sublocality": None,
    "locality": "Berlin",
    "admin_area_level_1": "BE",
    "admin_area_level_2": None,
    "country": "Germany",
    "postal_code": "12345",
    "subpremise": "3b",
    "formatted_address": "Main St 5, 12345 Berlin, Germany",
}
OPTIONS = [{"id": 1, "label": "Hot"}, {"id": 2, "label": 'it\'s "cold"'}]


SHAPES = ("v2", "collection")
TYPES = (*FIELD_TYPES, "new_type")
KEYS = {field_type: key(number) for number, field_type in enumerate(TYPES)}


def as_v1(field_type: str, value: Any) -> dict[str, Any]:
    """A v2 value as v1 has it: flat keys."""
    field_key = KEYS[field_type]
    if field_type == "set" and isinstance(value, list):
        return {field_key: ",".join(str(v) for v in value)}
    if field_type == "enum" and isinstance(value, int):
        return {field_key: str(value)}
    if isinstance(value, dict) and field_type != "varchar":
        rest = {f"{field_key}_{part}": v for part, v in value.items() if part != "value"}
        return {field_key: value.get("value"), **rest}
    return {field_key: value}


def as_sent(shape: str, field_type: str, value: Any) -> dict[str, Any]:
    """A value in a record of either shape."""
    if shape == "v2":
        return {"custom_fields": {KEYS[field_type]: value}}
    return as_v1(field_type, value)


@dataclass
class Cases:
    """An account with one field of each type (`x date`), and a person for each case."""

    account: Account
    ids: dict[tuple[str, str, str], int]

    def values(self, shape: str, field_type: str, value: Any, *columns: str) -> tuple[Any, ...]:
        id_ = self.ids[shape, field_type, repr(value)]
        names = ", ".join(c.replace("cf_x", f"cf_x_{field_type}") for c in columns)
        (row,) = self.account.rows(f"select {names} from crm.persons where id = {id_}")
        return tuple(row)

    def rejected(self, shape: str, field_type: str, value: Any) -> list[tuple[Any, ...]]:
        id_ = self.ids[shape, field_type, repr(value)]
        rows = self.account.rows(
            "select column_name, value, reason from ops.rejected_values"
            f" where entity = 'persons' and id = '{id_}' order by all"
        )
        return [(c.replace(f"cf_x_{field_type}", "cf_x"), text, reason) for c, text, reason in rows]


@pytest.fixture(scope="module")
def cases() -> Cases:
    account = Account()
    fields = [v2_field(KEYS[t], f"x {t}", t, options=OPTIONS) for t in TYPES]
    account.listing("person_fields", *fields)
    account.listing("users", {"id": 7, "name": "Una"})
    account.records("organizations", {"id": 7, "name": "Acme"})
    account.records("persons", {"id": 7, "name": "Pat"})
    ids: dict[tuple[str, str, str], int] = {}
    values = [case[:2] for case in (*GOOD, *BAD, *UNUSUAL, *ROUNDED)]
    for field_type, value in [*values, *((t, None) for t in TYPES)]:
        for shape in SHAPES:
            id_ = ids[shape, field_type, repr(value)] = 100 + len(ids)
            account.records("persons", {"id": id_, **as_sent(shape, field_type, value)}, api=shape)
    account.transform()
    return Cases(account, ids)


GOOD: list[tuple[str, Any, dict[str, Any]]] = [
    ("varchar", "text", {"cf_x": "text"}),
    ("varchar", "", {"cf_x": ""}),
    ("varchar", "[draft] {x}", {"cf_x": "[draft] {x}"}),
    ("varchar", '{"a": 1}', {"cf_x": '{"a": 1}'}),
    ("varchar", 12, {"cf_x": "12"}),
    ("varchar_auto", "text", {"cf_x": "text"}),
    ("text", "long\ntext", {"cf_x": "long\ntext"}),
    ("phone", "+49 30 1", {"cf_x": "+49 30 1"}),
    ("double", 1.5, {"cf_x": 1.5}),
    ("double", "1.5", {"cf_x": 1.5}),
    ("double", "", {"cf_x": None}),
    ("int", 3, {"cf_x": 3.0}),
    (
        "monetary",
        {"value": 1234567.89, "currency": "EUR"},
        {"cf_x": Decimal("1234567.8900"), "cf_x_currency": "EUR"},
    ),
    ("monetary", {"value": 0, "currency": "EUR"}, {"cf_x": Decimal("0.0000")}),
    ("monetary", {"value": None, "currency": "EUR"}, {"cf_x": None, "cf_x_currency": "EUR"}),
    ("date", "2026-02-28", {"cf_x": date(2026, 2, 28)}),
    ("date", "", {"cf_x": None}),
    (
        "daterange",
        {"value": "2026-01-01", "until": "2026-02-01"},
        {"cf_x": date(2026, 1, 1), "cf_x_until": date(2026, 2, 1)},
    ),
    (
        "time",
        {"value": "14:30:00", "timezone_id": 3, "timezone_name": "Europe/Berlin"},
        {"cf_x": time(14, 30), "cf_x_timezone": "Europe/Berlin"},
    ),
    (
        "timerange",
        {"value": "14:30:00", "until": "15:00:00", "timezone_name": "Europe/Berlin"},
        {"cf_x": time(14, 30), "cf_x_until": time(15), "cf_x_timezone": "Europe/Berlin"},
    ),
    ("enum", 2, {"cf_x": 'it\'s "cold"', "cf_x_id": 2}),
    ("enum", 9, {"cf_x": "unknown option 9", "cf_x_id": 9}),
    ("set", [2, 1], {"cf_x": ['it\'s "cold"', "Hot"], "cf_x_ids": [2, 1]}),
    ("set", [9], {"cf_x": ["unknown option 9"], "cf_x_ids": [9]}),
    ("set", [], {"cf_x": None, "cf_x_ids": None}),
    ("user", 7, {"cf_x": "Una", "cf_x_id": 7}),
    ("user", 8, {"cf_x": None, "cf_x_id": 8}),
    ("people", 7, {"cf_x": "Pat", "cf_x_id": 7}),
    ("org", 7, {"cf_x": "Acme", "cf_x_id": 7}),
    (
        "address",
        {"value": "Main St 5, Berlin", **PARTS},
        {"cf_x": "Main St 5, Berlin"} | {f"cf_x_{part}": v for part, v in PARTS.items()},
    ),
    ("new_type", [1, "a"], {"cf_x": '[1,"a"]'}),
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("field_type", "value", "expected"), GOOD)
def test_a_value_is_typed_the_same_in_both_shapes(
    cases: Cases, shape: str, field_type: str, value: Any, expected: dict[str, Any]
) -> None:
    shown = cases.values(shape, field_type, value, *expected)
    assert shown == tuple(expected.values())
    assert cases.rejected(shape, field_type, value) == []


@pytest.mark.parametrize("field_type", TYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_null_is_absent(cases: Cases, shape: str, field_type: str) -> None:
    columns = [c for c in cases.account.columns_of("crm.persons") if c.startswith("cf_")]
    id_ = cases.ids[shape, field_type, "None"]
    shown = cases.account.rows(f"select {', '.join(columns)} from crm.persons where id = {id_}")
    assert shown == [(None,) * len(columns)]
    assert cases.rejected(shape, field_type, None) == []


def test_custom_fields_may_be_null_as_a_whole() -> None:
    account = Account()
    account.listing("person_fields", v2_field(key(1), "X"))
    account.records("persons", {"id": 1, "custom_fields": None}, {"id": 2, "custom_fields": []})
    account.transform()
    assert account.rows("select cf_x from crm.persons") == [(None,), (None,)]


BAD: list[tuple[str, Any, str, str, str]] = [
    ("varchar", {"a": 1}, "cf_x", '{"a":1}', "not a VARCHAR"),
    ("varchar", ["a"], "cf_x", '["a"]', "not a VARCHAR"),
    ("double", "abc", "cf_x", "abc", "not a DOUBLE"),
    ("double", True, "cf_x", "true", "not a DOUBLE"),
    ("double", "nan", "cf_x", "nan", "not a DOUBLE"),
    ("monetary", {"value": "a lot", "currency": "EUR"}, "cf_x", "a lot", "not a DECIMAL(18,4)"),
    ("monetary", "a lot", "cf_x", "a lot", "not a DECIMAL(18,4)"),
    ("monetary", {"value": 1e20, "currency": "EUR"}, "cf_x", "1e+20", "not a DECIMAL(18,4)"),
    ("date", "2026-02-30", "cf_x", "2026-02-30", "not a DATE"),
    ("date", "tomorrow", "cf_x", "tomorrow", "not a DATE"),
    ("date", "infinity", "cf_x", "infinity", "not a DATE"),
    ("daterange", {"value": "2026-01-01", "until": "x"}, "cf_x_until", "x", "not a DATE"),
    ("time", {"value": "25:00:00"}, "cf_x", "25:00:00", "not a TIME"),
    ("time", {"value": "24:00:00"}, "cf_x", "24:00:00", "not a TIME"),
    ("timerange", {"value": "10:00:00", "until": "late"}, "cf_x_until", "late", "not a TIME"),
    ("enum", "hot", "cf_x_id", "hot", "not a BIGINT"),
    ("enum", "12.7", "cf_x_id", "12.7", "not a BIGINT"),
    ("set", "1,x", "cf_x_ids", "1,x", "not a list of BIGINT"),
    ("set", "12.7", "cf_x_ids", "12.7", "not a list of BIGINT"),
    ("user", 12.7, "cf_x_id", "12.7", "not a BIGINT"),
    ("user", "Una", "cf_x_id", "Una", "not a BIGINT"),
    ("address", ["a"], "cf_x", '["a"]', "not a VARCHAR"),
    ("address", {"value": "a", "country": {"x": 1}}, "cf_x_country", '{"x":1}', "not a VARCHAR"),
]


UNUSUAL: list[tuple[str, Any, Any]] = [
    ("monetary", 5, Decimal("5.0000")),
    ("monetary", {"value": "1.2345000", "currency": "EUR"}, Decimal("1.2345")),
    ("address", "Main St 5", "Main St 5"),
    ("time", "14:30:00", time(14, 30)),
    ("user", {"id": 7, "name": "Una", "value": 7}, "Una"),
    ("set", '["1","2"]', ["Hot", 'it\'s "cold"']),
    ("set", "1", ["Hot"]),
    ("enum", {"id": 1, "label": "Hot"}, "Hot"),
]
ROUNDED: list[tuple[str, Any]] = [("monetary", {"value": 1.23456, "currency": "EUR"})]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("field_type", "value", "column", "text", "reason"), BAD)
def test_a_value_that_does_not_fit_is_null_and_rejected(
    cases: Cases, shape: str, field_type: str, value: Any, column: str, text: str, reason: str
) -> None:
    assert cases.rejected(shape, field_type, value) == [(column, text, reason)]
    assert cases.values(shape, field_type, value, column) == (None,)


@pytest.mark.parametrize(("field_type", "value", "expected"), UNUSUAL)
def test_a_value_in_an_unusual_shape_is_read_too(
    cases: Cases, field_type: str, value: Any, expected: Any
) -> None:
    assert cases.values("v2", field_type, value, "cf_x") == (expected,)
    assert cases.rejected("v2", field_type, value) == []


@pytest.mark.parametrize("shape", SHAPES)
def test_more_than_four_decimals_are_rounded_and_noted(cases: Cases, shape: str) -> None:
    ((field_type, value),) = ROUNDED
    assert cases.values(shape, field_type, value, "cf_x") == (Decimal("1.2346"),)
    assert cases.rejected(shape, field_type, value) == [("cf_x", "1.23456", "rounded")]


def test_an_unknown_type_is_kept_as_json() -> None:
    account = Account()
    account.listing("person_fields", v2_field(key(1), "X", "brand_new"))
    account.records("persons", {"id": 1, "custom_fields": {key(1): {"a": [1, "2"]}}})
    account.transform()
    assert account.one("select cf_x from crm.persons") == '{"a":[1,"2"]}'
    assert account.one("select sql_type from crm.custom_fields") == "JSON"


@pytest.mark.parametrize("shape", SHAPES)
def test_a_suffix_only_the_definitions_know_is_kept_as_json(shape: str) -> None:
    address = KEYS["address"]
    account = Account()
    account.listing(
        "person_fields",
        {"key": address, "name": "X", "field_type": "address", "edit_flag": True},
        {"key": f"{address}_lat", "name": "lat", "edit_flag": True, "is_subfield": True},
    )
    record = as_sent(shape, "address", {"value": "here", "lat": 1.5})
    account.records("persons", {"id": 1, **record}, api=shape)
    account.transform()
    assert account.rows("select cf_x, cf_x_lat from crm.persons") == [("here", "1.5")]
