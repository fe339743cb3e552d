"""What the runner builds, when, and what it says about it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from raw_account import KEY, NOW, Account, key, v1_field, v2_field

from transforms.models import load_models
from transforms.runner import show, transform
from warehouse.errors import ColumnNameError, ModelError


@pytest.fixture
def account() -> Account:
    return Account()


def modes(account: Account, *, full: bool = False) -> dict[str, str]:
    return {m.name: m.mode for m in account.transform(full=full).models if m.mode != "unchanged"}


def test_an_empty_file_gets_every_public_table(account: Account) -> None:
    transformed = account.transform()
    assert transformed.is_changed
    tables = {
        name
        for (name,) in account.rows(
            "select view_name from duckdb_views() where schema_name = 'crm'"
        )
    }
    assert tables == {
        *("leads", "persons", "organizations", "person_emails", "person_phones"),
        *("custom_fields", "custom_field_options", "users", "lead_labels", "lead_sources"),
        *("deals", "pipelines", "stages"),
        *("currencies", "sync_runs", "sync_steps", "sync_checks", "rejected_values"),
    }
    for table in tables:
        assert account.one(f"select count(*) from crm.{table}") == 0


def test_nothing_new_does_nothing(account: Account) -> None:
    account.listing("person_fields", v2_field(KEY, "X"))
    account.records("persons", {"id": 1, "custom_fields": {KEY: "a"}})
    assert account.transform().is_changed
    again = account.transform()
    assert not again.is_changed
    assert {model.mode for model in again.models} == {"unchanged"}


def test_new_records_are_decoded_alone(account: Account) -> None:
    account.listing("person_fields", v2_field(KEY, "X", "double"))
    account.records("persons", {"id": 1, "custom_fields": {KEY: "bad"}}, {"id": 2})
    account.transform()
    account.records("persons", {"id": 1, "custom_fields": {KEY: 5}}, {"id": 3, "owner_id": "x"})
    assert modes(account) == {
        "staging.persons": "incremental",
        "staging.persons_custom_fields": "incremental",
    }
    assert account.rows("select id, cf_x from crm.persons order by id") == [
        (1, 5.0),
        (2, None),
        (3, None),
    ]
    assert account.rejected() == [("owner_id", "x", "not a BIGINT")]


def test_changed_definitions_rebuild_their_entity_alone(account: Account) -> None:
    account.listing("person_fields", v2_field(KEY, "X"))
    account.records("persons", {"id": 1, "custom_fields": {KEY: "5"}})
    account.transform()
    account.listing("person_fields", v2_field(KEY, "X", "double"))
    assert modes(account) == {
        "staging.persons_custom_fields": "rebuilt",
        "staging.persons_custom_columns": "rebuilt",
        "crm.persons": "rebuilt",
    }
    assert account.one("select typeof(cf_x) || cf_x from crm.persons") == "DOUBLE5.0"


def test_definitions_loaded_again_without_a_change_change_nothing(account: Account) -> None:
    account.listing("person_fields", v2_field(KEY, "X"))
    account.transform()
    account.listing("person_fields", v2_field(KEY, "X"))
    assert not account.transform().is_changed


def test_v1_and_v2_definitions_mean_the_same(account: Account) -> None:
    account.listing(
        "person_fields",
        {"key": "name", "name": "Name", "field_type": "varchar", "edit_flag": False},
        v1_field(KEY, "Budget", "monetary"),
        {"key": f"{KEY}_currency", "name": "Currency", "edit_flag": True, "is_subfield": True},
    )
    account.transform()
    columns = account.columns_of("crm.persons")
    account.listing(
        "person_fields",
        v2_field("name", "Name", is_custom_field=False),
        v2_field(KEY, "Budget", "monetary", subfields=[{"field_code": f"{KEY}_currency"}]),
    )
    assert not account.transform().is_changed
    assert account.columns_of("crm.persons") == columns
    assert columns[-2:] == ["cf_budget", "cf_budget_currency"]


def test_leads_have_the_custom_fields_of_deals(account: Account) -> None:
    account.listing("deal_fields", v2_field(key(1), "Deal thing"))
    account.listing("lead_fields", v1_field(key(1), "Deal thing"), v1_field(key(2), "Lead thing"))
    account.records("leads", {"id": "l", key(1): "a", key(2): "b"}, api="v1")
    account.transform()
    assert account.rows("select cf_deal_thing, cf_lead_thing from crm.leads") == [("a", "b")]


def test_a_rename_moves_the_history_and_keeps_the_old_name(account: Account) -> None:
    account.listing("person_fields", v2_field(KEY, "Budget", "user"))
    account.listing("users", {"id": 7, "name": "Una"})
    account.records("persons", {"id": 1, "custom_fields": {KEY: 7}})
    account.transform()
    account.listing("person_fields", v2_field(KEY, "Price", "user"))
    transformed = account.transform()
    (renamed,) = transformed.renamed
    assert (renamed.label_before, renamed.column_before, renamed.column_name) == (
        "Budget",
        "cf_budget",
        "cf_price",
    )
    assert account.rows(
        "select cf_price, cf_price_id, cf_budget, cf_budget_id from crm.persons"
    ) == [("Una", 7, "Una", 7)]
    assert account.rows("select label, renamed_from, aliases from crm.custom_fields") == [
        ("Price", "Budget", ["cf_budget"])
    ]


def test_options_keep_their_last_label_and_take_their_newest(account: Account) -> None:
    options = [{"id": 1, "label": "Old", "color": "red"}, {"id": 2, "label": "Gone"}]
    account.listing("person_fields", v2_field(KEY, "X", "enum", options=options))
    account.records(
        "persons", {"id": 1, "custom_fields": {KEY: 1}}, {"id": 2, "custom_fields": {KEY: 2}}
    )
    account.transform()
    account.listing(
        "person_fields", v2_field(KEY, "X", "enum", options=[{"id": 1, "label": "New"}])
    )
    account.transform()
    assert account.rows("select cf_x from crm.persons order by id") == [("New",), ("Gone",)]
    assert account.rows(
        "select option_id, label, color, is_active, column_name from crm.custom_field_options"
    ) == [("1", "New", None, True, "cf_x"), ("2", "Gone", None, False, "cf_x")]
    assert account.one("select options from crm.custom_fields") == [{"id": 1, "label": "New"}]


def test_options_v1_lists_as_deleted_are_known_from_the_start(account: Account) -> None:
    deleted = [{"id": 3, "label": "Long gone"}]
    account.listing("person_fields", v1_field(KEY, "X", "enum", options_deleted=deleted))
    account.records("persons", {"id": 1, KEY: "3"}, api="collection")
    account.transform()
    assert account.one("select cf_x from crm.persons") == "Long gone"


def test_a_deleted_field_keeps_its_last_values(account: Account) -> None:
    account.listing("person_fields", v2_field(KEY, "X"), v2_field(key(2), "Y"))
    account.records("persons", {"id": 1, "custom_fields": {KEY: "a"}})
    account.transform()
    account.listing("person_fields", v2_field(key(2), "Y"))
    account.transform()
    assert account.one("select cf_x from crm.persons") == "a"
    assert account.rows("select column_name, is_active from crm.custom_fields") == [
        ("cf_y", True),
        ("cf_x", False),
    ]


HOSTILE = [
    '"; drop table persons; --',
    "'; drop table persons; --",
    "it's",
    "🎉",
    "x" * 255,
    "line\nbreak\r\u2028*/ select 1",
    "nul\0char",
    "",
    "Name",
    "$since",
    "Name",
]


def test_hostile_labels_and_options_are_only_names(account: Account) -> None:
    fields = [
        v2_field(key(n), label, "set" if n % 2 else "enum", options=[{"id": 1, "label": label}])
        for n, label in enumerate(HOSTILE)
    ]
    account.listing("person_fields", *fields)
    values = {key(n): [1] if n % 2 else 1 for n in range(len(HOSTILE))}
    account.records("persons", {"id": 1, "custom_fields": values})
    account.transform()
    columns = account.rows("select column_name from crm.custom_fields order by key")
    assert len(set(columns)) == len(HOSTILE)
    names = ", ".join(name for (name,) in columns)
    ((*shown,),) = account.rows(f"select {names} from crm.persons")
    expected = [label.replace("\0", "\ufffd") for label in HOSTILE]
    assert [s[0] if isinstance(s, list) else s for s in shown] == expected
    assert account.connection.execute(
        "select count(*) from (select * from crm.persons)"
    ).fetchone() == (1,)


def test_a_name_from_the_configuration_is_the_column(account: Account) -> None:
    account.listing("person_fields", v2_field(KEY, "Budget"))
    account.records("persons", {"id": 1, "custom_fields": {KEY: "a"}})
    account.columns = {"persons": {KEY: "money"}}
    account.transform()
    assert account.one("select money from crm.persons") == "a"


def test_a_name_that_cannot_be_used_leaves_the_file_as_it_was(account: Account) -> None:
    account.listing("person_fields", v2_field(KEY, "Budget"))
    account.transform()
    account.columns = {"persons": {KEY: "owner_name"}}
    account.records("persons", {"id": 1})
    with pytest.raises(ColumnNameError, match="owner_name"):
        account.transform()
    assert account.one("select count(*) from crm.persons") == 0


def test_a_model_that_does_not_build_leaves_the_file_as_it_was(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.records("persons", {"id": 1})
    account.transform()
    account.records("persons", {"id": 2})
    models = load_models()
    broken = {"crm.users": replace(models["crm.users"], sql="select nonsense from staging.users")}
    monkeypatch.setattr("transforms.runner.load_models", lambda: models | broken)
    with pytest.raises(ModelError, match=r"crm\.users does not build"):
        account.transform()
    assert account.one("select count(*) from crm.persons") == 1


def test_full_rebuilds_all(account: Account) -> None:
    account.transform()
    assert set(modes(account, full=True).values()) == {"rebuilt"}


def test_a_relation_no_model_speaks_of_goes(account: Account) -> None:
    account.transform()
    account.connection.execute("create table crm.old as select 1 as id")
    account.connection.execute("create view staging.old as select 1 as id")
    account.transform()
    assert account.rows("select * from duckdb_tables() where table_name = 'old'") == []
    assert account.rows("select * from duckdb_views() where view_name = 'old'") == []


def test_tables_and_columns_are_described(account: Account) -> None:
    account.listing("person_fields", v2_field(KEY, 'The "Budget"', "monetary"))
    account.transform()
    comments = dict(
        account.rows(
            "select column_name, comment from duckdb_columns()"
            " where schema_name = 'crm' and table_name = 'persons'"
        )
    )
    assert comments["owner_name"] == "Name of the owner"
    assert comments["cf_the_budget"] == 'The "Budget"'
    assert comments["cf_the_budget_currency"] == 'The "Budget" (currency)'
    assert (
        account.one(
            "select comment from duckdb_views() where schema_name = 'crm' and view_name = 'persons'"
        )
        == "One row per person, gone or not."
    )
    missing = account.rows(
        "select table_name, column_name from duckdb_columns()"
        " where schema_name = 'crm' and comment is null"
    )
    assert missing == []


def test_every_described_column_is_there_in_the_order_of_the_header(account: Account) -> None:
    account.transform()
    for name, model in load_models().items():
        if name.startswith("crm."):
            assert list(model.columns) == account.columns_of(name), name


def test_the_generated_sql_can_be_shown_and_run(account: Account) -> None:
    account.listing("person_fields", v2_field(KEY, "Budget", "monetary"))
    account.transform()
    sql = show(account.connection, "persons")
    assert "-- Budget (monetary)" in sql
    assert "staging.persons_custom_fields" in sql


def test_results_do_not_depend_on_the_time_zone_of_the_session(account: Account) -> None:
    account.records("persons", {"id": 1, "add_time": "2026-05-15 09:58:20"}, api="collection")
    account.transform()
    assert account.one("select epoch(add_time) from crm.persons") == 1778839100


def test_views_of_a_file_that_is_opened_again_need_no_macros(tmp_path: Path) -> None:
    account = Account(tmp_path / "x.duckdb")
    account.listing("person_fields", v2_field(KEY, "X", "set", options=[{"id": 1, "label": "a"}]))
    account.records("persons", {"id": 1, "custom_fields": {KEY: [1]}})
    account.transform()
    account.connection.close()
    with duckdb.connect(str(tmp_path / "x.duckdb")) as connection:
        assert connection.execute("select cf_x from crm.persons").fetchall() == [(["a"],)]
        tables = connection.execute(
            "select view_name from duckdb_views() where schema_name = 'crm'"
        ).fetchall()
        for (table,) in tables:
            connection.execute(f"create temp table copy_{table} as select * from crm.{table}")
        assert not transform(connection, now=NOW).is_changed


def test_a_field_no_definition_names_is_kept_as_json_until_one_does(account: Account) -> None:
    account.records("persons", {"id": 1, "custom_fields": {KEY: {"value": 5, "currency": "EUR"}}})
    account.records("leads", {"id": "l", key(2): "a", f"{key(2)}_until": "b"}, api="v1")
    account.transform()
    assert (
        account.one("select cf_field_01234567 from crm.persons") == '{"value":5,"currency":"EUR"}'
    )
    assert account.rows("select cf_field_02020202, cf_field_02020202_until from crm.leads") == [
        ('"a"', '"b"')
    ]
    assert not account.transform().is_changed
    account.listing("person_fields", v2_field(KEY, "Budget", "monetary"))
    account.transform()
    assert account.rows(
        "select cf_budget, cf_budget_currency, cf_field_01234567 from crm.persons"
    ) == [(5, "EUR", 5)]
