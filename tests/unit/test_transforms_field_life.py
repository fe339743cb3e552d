"""Custom fields that are deleted, come back, are renamed, or change their options."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from raw_account import KEY, Account, key, v1_field, v2_field

from transforms.custom_fields.definitions import ENTITIES
from transforms.custom_fields.differences import tell
from transforms.custom_fields.field_types import FIELD_TYPES
from transforms.custom_fields.registry import prune_aliases

OPTIONS = [{"id": 1, "label": "Hot"}, {"id": 2, "label": "Cold"}]
TYPES = (*FIELD_TYPES, "brand_new")
VALUES: dict[str, Any] = {
    "varchar": "[draft] \u00fc",
    "varchar_auto": "",
    "text": '{"a": 1}',
    "phone": "+49 30",
    "double": 0.1,
    "int": 1e300,
    "monetary": {"value": 12345678901234.56, "currency": "EUR"},
    "date": "2026-02-28",
    "daterange": {"value": "2026-01-01", "until": "2026-02-01"},
    "time": {"value": "14:30:00", "timezone_name": "Europe/Berlin"},
    "timerange": {"value": "14:30:00", "until": "15:00:00", "timezone_name": "UTC"},
    "enum": 2,
    "set": [2, 1, 9],
    "user": 7,
    "people": 7,
    "org": 7,
    "address": {"value": "Main St 5", "country": "Germany"},
    "brand_new": {"a": [1, "b", None]},
}


@pytest.fixture
def account() -> Account:
    return Account()


def every_type(account: Account) -> list[dict[str, Any]]:
    """A field of each type on persons, and two persons: one with a value in each, one without."""
    fields = [v2_field(key(n), f"x {t}", t, options=OPTIONS) for n, t in enumerate(TYPES)]
    account.listing("person_fields", *fields, v2_field(key(99), "Stays"))
    account.listing("users", {"id": 7, "name": "Una"})
    account.records("organizations", {"id": 7, "name": "Acme"})
    custom = {key(n): VALUES[t] for n, t in enumerate(TYPES)}
    account.records(
        "persons", {"id": 7, "name": "Pat", "custom_fields": custom}, {"id": 8, "custom_fields": {}}
    )
    return fields


def shown(account: Account) -> list[tuple[Any, ...]]:
    """The custom columns of persons, with their types, under the names of the fields."""
    columns = [c for c in account.columns_of("crm.persons") if c.startswith("cf_x")]
    listed = ", ".join(f"{c}, typeof({c})" for c in sorted(columns))
    return [tuple(sorted(columns)), *account.rows(f"select {listed} from crm.persons order by id")]


def delete_all(account: Account) -> None:
    """Every field of `every_type` goes, and its values with it, in the same load."""
    account.listing("person_fields", v2_field(key(99), "Stays"))
    account.records(
        "persons",
        {"id": 7, "name": "Pat", "custom_fields": {key(99): "a"}},
        {"id": 8, "custom_fields": {}},
    )


def test_a_deleted_field_of_any_type_keeps_its_values_when_records_come_without(
    account: Account,
) -> None:
    every_type(account)
    account.transform()
    before = shown(account)
    assert sum(value is not None for value in before[1][::2]) > len(TYPES)
    delete_all(account)
    account.transform()
    assert shown(account) == before
    assert account.rejected() == []
    assert account.rows("select distinct id from ops.retired_values") == [("7",)]


def test_kept_values_survive_rebuilds_and_any_number_of_loads(account: Account) -> None:
    every_type(account)
    account.transform()
    before = shown(account)
    delete_all(account)
    account.transform()
    assert not account.transform().is_changed
    account.transform(full=True)
    assert shown(account) == before
    for _ in range(2):
        account.records("persons", {"id": 7, "name": "Pat", "custom_fields": {key(99): "b"}})
        account.transform()
        assert shown(account) == before
    account.connection.execute(
        "insert into ops.tombstones (entity, id, reason, deleted_time)"
        " values ('persons', '7', 'deleted', now())"
    )
    account.transform()
    assert shown(account) == before
    assert account.rejected() == []


@pytest.mark.parametrize("table", ["leads", "archived_leads"])
def test_a_lead_keeps_the_values_of_deleted_fields_when_it_moves(
    account: Account, table: str
) -> None:
    account.listing("deal_fields", v1_field(KEY, "Budget", "monetary"), v1_field(key(2), "X"))
    account.records("leads", {"id": "a-b", KEY: 5.25, f"{KEY}_currency": "EUR"}, api="v1")
    account.transform()
    account.listing("deal_fields", v1_field(key(2), "X"))
    account.records(table, {"id": "a-b", key(2): "x"}, api="v1")
    account.transform()
    assert account.rows("select cf_budget, cf_budget_currency, cf_x from crm.leads") == [
        (Decimal("5.2500"), "EUR", "x")
    ]


def test_kept_values_go_with_the_column_when_it_gets_another_name(account: Account) -> None:
    account.listing("person_fields", v2_field(KEY, "Budget", "monetary"))
    account.records("persons", {"id": 1, "custom_fields": {KEY: {"value": 1, "currency": "EUR"}}})
    account.transform()
    account.listing("person_fields", v2_field(key(2), "Budget"))
    account.records("persons", {"id": 1, "custom_fields": {key(2): "new"}})
    account.columns = {"persons": {KEY: "old_budget"}}
    account.transform()
    assert account.rows(
        "select old_budget, old_budget_currency, cf_budget, cf_budget_020202 from crm.persons"
    ) == [(1, "EUR", 1, "new")]


def test_a_field_renamed_by_the_listing_that_is_the_last_to_have_it(account: Account) -> None:
    account.listing("person_fields", v2_field(KEY, "Budget", "date"), v2_field(key(2), "X"))
    account.records("persons", {"id": 1, "custom_fields": {KEY: "2026-01-01"}})
    account.transform()
    gone = v1_field(KEY, "Old budget", "date", active_flag=False)
    account.listing("person_fields", gone, v1_field(key(2), "X"))
    account.records("persons", {"id": 1}, api="collection")
    account.transform()
    assert account.rows("select cf_old_budget, cf_budget from crm.persons") == [
        (date(2026, 1, 1), date(2026, 1, 1))
    ]
    account.listing("person_fields", v1_field(key(2), "X"))
    assert account.transform().changes == ()
    assert account.one("select cf_old_budget from crm.persons") == date(2026, 1, 1)


def test_a_field_that_comes_back_shows_what_records_say(account: Account) -> None:
    field, other = v2_field(KEY, "X"), v2_field(key(2), "Y")
    account.listing("person_fields", field, other)
    account.records("persons", {"id": 1, "custom_fields": {KEY: "a"}}, {"id": 2})
    account.transform()
    account.listing("person_fields", other)
    account.records("persons", {"id": 1, "custom_fields": {}})
    account.transform()
    assert account.rows("select cf_x from crm.persons order by id") == [("a",), (None,)]
    account.listing("person_fields", field, other)
    account.records("persons", {"id": 2, "custom_fields": {KEY: "b"}})
    account.transform()
    assert account.rows("select cf_x from crm.persons order by id") == [(None,), ("b",)]
    account.listing("person_fields", other)
    account.records("persons", {"id": 2, "custom_fields": {}})
    account.transform()
    assert account.rows("select cf_x from crm.persons order by id") == [(None,), ("b",)]


@pytest.mark.parametrize("api", ["v2", "collection"])
def test_a_value_that_came_after_the_last_transform_is_the_last_known(
    account: Account, api: str
) -> None:
    def person(id_: int, custom: dict[str, str | None]) -> dict[str, Any]:
        return {"id": id_, "custom_fields": custom} if api == "v2" else {"id": id_, **custom}

    account.listing("person_fields", v2_field(KEY, "X"), v2_field(key(2), "Y"))
    for id_ in (1, 2, 3):
        account.records("persons", person(id_, {KEY: "old"}), api=api)
    account.transform()
    account.records(
        "persons",
        person(1, {KEY: "new"}),
        person(2, {KEY: None}),
        person(4, {KEY: "first"}),
        api=api,
    )
    account.listing("person_fields", v2_field(key(2), "Y"))
    expected = [("new",), (None,), ("old",), ("first",)]
    account.transform()
    assert account.rows("select cf_x from crm.persons order by id") == expected
    for id_ in (1, 2, 3, 4):
        account.records("persons", person(id_, {}), api=api)
    account.transform()
    assert account.rows("select cf_x from crm.persons order by id") == expected


def test_a_value_of_a_record_is_never_mixed_with_a_kept_one(account: Account) -> None:
    account.listing("person_fields", v2_field(KEY, "X", "monetary"), v2_field(key(2), "Y"))
    account.records("persons", {"id": 1, "custom_fields": {KEY: {"value": 1, "currency": "EUR"}}})
    account.transform()
    account.listing("person_fields", v2_field(key(2), "Y"))
    account.transform()
    for value, row in [
        ({"value": 2, "currency": None}, (2, None)),
        ({"value": "a lot", "currency": None}, (None, None)),
        (None, (1, "EUR")),
    ]:
        account.records("persons", {"id": 1, "custom_fields": {KEY: value}})
        account.transform()
        assert account.rows("select cf_x, cf_x_currency from crm.persons") == [row]
    assert account.rejected() == []


def test_a_field_that_was_never_defined_is_not_taken_for_deleted(account: Account) -> None:
    account.listing("person_fields", v2_field(key(2), "Y"))
    account.records("persons", {"id": 1, "custom_fields": {KEY: "a"}})
    account.transform()
    account.listing("person_fields", v2_field(key(2), "Z"))
    account.transform()
    assert account.one("select count(*) from ops.retired_values") == 0


def test_a_field_deleted_while_the_tables_were_missing_keeps_what_raw_has(
    account: Account,
) -> None:
    account.listing("person_fields", v2_field(KEY, "X"), v2_field(key(2), "Y"))
    account.records("persons", {"id": 1, "custom_fields": {KEY: "a"}})
    account.transform()
    account.connection.execute("drop schema crm cascade; drop schema staging cascade")
    account.listing("person_fields", v2_field(key(2), "Y"))
    account.transform()
    account.records("persons", {"id": 1, "custom_fields": {}})
    account.transform()
    assert account.one("select cf_x from crm.persons") == "a"


def test_a_field_without_values_leaves_nothing_behind(account: Account) -> None:
    account.listing("person_fields", v2_field(KEY, "X", "address"), v2_field(key(2), "Y"))
    account.records("persons", {"id": 1, "custom_fields": {KEY: None}})
    account.transform()
    account.listing("person_fields", v2_field(key(2), "Y"))
    account.transform()
    assert account.one("select count(*) from ops.retired_values") == 0


def test_options_have_the_right_labels_through_their_whole_life(account: Account) -> None:
    def options(*labels: tuple[int, str]) -> list[str]:
        listed = [{"id": id_, "label": label} for id_, label in labels]
        fields = [v2_field(KEY, "E", "enum", options=listed)]
        fields += [v2_field(key(2), "S", "set", options=listed)]
        account.listing("person_fields", *fields)
        changes = account.transform().changes
        return sorted(change.text for change in changes if change.key == KEY)

    for id_ in (1, 2, 3):
        account.records("persons", {"id": id_, "custom_fields": {KEY: id_, key(2): [3, id_]}})
    options((1, "Hot"))
    assert account.rows("select cf_e, cf_s from crm.persons order by id") == [
        ("Hot", ["unknown option 3", "Hot"]),
        ("unknown option 2", ["unknown option 3", "unknown option 2"]),
        ("unknown option 3", ["unknown option 3", "unknown option 3"]),
    ]
    assert options((1, "Warm"), (2, "Cold")) == [
        'persons: "E" has a new option "Cold"',
        'persons: option "Hot" of "E" is now "Warm"',
    ]
    assert options((2, "Cold"), (3, "Hot")) == [
        'persons: "E" has a new option "Hot"',
        'persons: option "Warm" of "E" was deleted: it keeps its label',
    ]
    assert account.rows("select cf_e, cf_s from crm.persons order by id") == [
        ("Warm", ["Hot", "Warm"]),
        ("Cold", ["Hot", "Cold"]),
        ("Hot", ["Hot", "Hot"]),
    ]
    assert options((2, "Warm"), (3, "Hot"), (1, "Hot")) == [
        'persons: "E" has a new option "Hot"',
        'persons: option "Cold" of "E" is now "Warm"',
    ]
    assert account.rows("select cf_e from crm.persons order by id") == [
        ("Hot",),
        ("Warm",),
        ("Hot",),
    ]


def test_the_options_of_a_deleted_field_keep_their_labels(account: Account) -> None:
    account.listing("person_fields", v2_field(KEY, "X", "set", options=OPTIONS))
    account.records("persons", {"id": 1, "custom_fields": {KEY: [2, 1]}})
    account.transform()
    account.listing("person_fields", v2_field(key(2), "Y", "set", options=OPTIONS[:1]))
    account.records("persons", {"id": 1, "custom_fields": {}})
    account.transform()
    assert account.one("select cf_x from crm.persons") == ["Cold", "Hot"]


def test_every_change_is_told_in_a_sentence(account: Account) -> None:
    fields = [v2_field(key(n), name) for n, name in enumerate(["A", "B", "C", "D"])]
    account.listing("person_fields", *fields, v2_field(key(9), "Z"))
    account.transform()
    assert account.transform().changes == ()
    account.listing(
        "person_fields",
        v2_field(key(0), "B"),
        v2_field(key(1), "b!"),
        v2_field(key(2), "C", "monetary"),
        v2_field(key(5), "E"),
        v2_field(key(9), "Z"),
    )
    account.columns = {"persons": {key(9): "last"}}
    transformed = account.transform()
    assert {change.text for change in transformed.changes} == {
        'persons: "A" is now "B": column cf_b_000000, cf_a stays as an alias',
        'persons: "B" is now "b!": column cf_b as before',
        'persons: "C" is of type monetary now, not varchar: column cf_c is DECIMAL(18,4)',
        'persons: "D" was deleted: column cf_d keeps the last values known',
        'persons: new field "E" (varchar): column cf_e',
        'persons: "Z": column is now last, cf_z stays as an alias',
    }
    assert [change.label for change in transformed.added] == ["E"]
    account.listing("person_fields", *fields, v2_field(key(9), "Z"))
    assert 'persons: "D" is back: column cf_d shows what records say now' in [
        change.text for change in account.transform().changes
    ]


def test_a_field_whose_definition_comes_late_is_told_as_renamed(account: Account) -> None:
    account.records("persons", {"id": 1, "custom_fields": {KEY: "a"}})
    (change,) = account.transform().changes
    assert change.text == (
        "persons: records hold a field that no definition names: column cf_field_01234567"
    )
    account.listing("person_fields", v2_field(KEY, "Budget"))
    (change,) = account.transform().changes
    assert change.text == (
        'persons: "field 01234567" is now "Budget": column cf_budget, '
        "cf_field_01234567 stays as an alias"
    )


def test_labels_that_change_are_told_after_the_first_look(account: Account) -> None:
    def labels(*names: str) -> list[str]:
        listed = [{"id": n, "label": name} for n, name in enumerate(names)]
        field = v2_field("label_ids", "Labels", "set", is_custom_field=False, options=listed)
        account.listing("person_fields", field)
        return [change.text for change in account.transform().changes]

    assert labels("Hot") == []
    assert labels("Hot", "Cold") == ['persons: "Labels" has a new option "Cold"']


def test_a_prune_drops_old_names_and_nothing_else(account: Account) -> None:
    for table, entity in (("person_fields", "persons"), ("organization_fields", "organizations")):
        account.records(entity, {"id": 1, "custom_fields": {KEY: "a", key(2): "b"}})
        for name in ("A", "B", "C"):
            account.listing(table, v2_field(KEY, name), v2_field(key(2), f"{name} 2"))
            account.transform()
        account.listing(table, v2_field(KEY, "C"))
        account.transform()
    assert prune_aliases(account.connection, "persons") == [
        ("persons", "cf_c", "cf_a"),
        ("persons", "cf_c", "cf_b"),
        ("persons", "cf_c_2", "cf_a_2"),
        ("persons", "cf_c_2", "cf_b_2"),
    ]
    assert account.transform().is_changed
    custom = [c for c in account.columns_of("crm.persons") if c.startswith("cf_")]
    assert custom == ["cf_c", "cf_c_2"]
    assert account.rows("select cf_c, cf_c_2 from crm.persons") == [("a", "b")]
    assert "cf_a" in account.columns_of("crm.organizations")
    assert {entity for entity, *_ in prune_aliases(account.connection)} <= set(ENTITIES)
    assert prune_aliases(account.connection) == []
    assert account.transform().is_changed
    assert "cf_a" not in account.columns_of("crm.organizations")


def test_many_changes_are_told_in_ten_lines(account: Account) -> None:
    fields = [v2_field(key(n), f"F{n}") for n in range(1, 15)]
    account.listing("person_fields", *fields)
    assert tell(account.transform().changes) == [
        "persons: 14 new fields: cf_f1, cf_f2, cf_f3 and so on"
    ]
    account.listing("person_fields", v2_field(key(99), "Only"))
    told = tell(account.transform().changes)
    assert told[0] == 'persons: new field "Only" (varchar): column cf_only'
    assert told[9:] == [
        'persons: "F9" was deleted: column cf_f9 keeps the last values known',
        "and 5 more changes of fields: see custom_fields",
    ]
