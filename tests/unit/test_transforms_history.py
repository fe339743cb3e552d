"""Every version seen of a record: what makes one, since when it holds, and what it shows."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from history_story import LEAD, Story, at, iso
from raw_account import KEY, key, v1_field, v2_field

from transforms.history_models import HISTORY_COLUMNS, replace_relations


def test_the_life_of_a_lead_is_its_versions() -> None:
    story = Story("leads")
    story.lead()
    story.run(1)
    story.now = at(3)
    story.lead(title="B", update_time=iso(at(2)))
    story.run(3)
    story.now = at(5)
    story.lead(is_archived=True, title="B", update_time=iso(at(2)), archive_time=iso(at(4)))
    story.run(5)
    story.now = at(7)  # unarchiving moves no time: it is known from when it was read
    story.lead(title="B", update_time=iso(at(2)))
    story.run(8)
    story.now = at(9)
    story.gone("leads", LEAD, "converted", converted_deal_id=77)
    story.run(10)
    story.back(LEAD)
    story.now = at(11)
    story.lead(title="B", update_time=iso(at(2)))
    story.run(12)
    story.now = at(13)
    story.gone("leads", LEAD)
    story.run(14)
    gone = ["status", "converted_deal_id", "is_deleted", "deleted_time"]
    assert story.versions(columns="version, title, status, converted_deal_id") == [
        (0, 2, None, 1, "A", "open", None),
        (2, 4, ["title"], 2, "B", "open", None),
        (4, 7, ["status", "is_archived", "archive_time"], 3, "B", "archived", None),
        (7, 9, ["status", "is_archived", "archive_time"], 4, "B", "open", None),
        (9, 11, gone, 5, "B", "converted", 77),
        (11, 13, gone, 6, "B", "open", None),
        (13, None, ["status", "is_deleted", "deleted_time"], 7, "B", "deleted", None),
    ]


def test_the_status_at_a_time_is_one_query() -> None:
    story = Story("leads")
    story.lead()
    story.run(1)
    story.now = at(5)
    story.lead(is_archived=True, archive_time=iso(at(4)))
    story.run(5)
    status = (
        "select status from crm.lead_history where valid_from <= $t"
        " and (valid_to is null or valid_to > $t)"
    )
    found = [story.connection.execute(status, {"t": at(hour)}).fetchall() for hour in (-1, 3, 4, 9)]
    assert found == [[], [("open",)], [("archived",)], [("archived",)]]


def test_a_move_of_update_time_alone_is_no_version_but_is_shown() -> None:
    story = Story("leads")
    story.lead()
    story.run(1)
    story.now = at(3)
    story.lead(update_time=iso(at(2)))
    story.run(3)
    assert story.versions(columns="update_time") == [(0, None, None, at(2))]
    # the time of an update that was seen before says nothing of a change after it
    story.now = at(5)
    story.lead(is_archived=True, update_time=iso(at(2)))
    story.run(5)
    assert [row[:2] for row in story.versions()] == [(0, 5), (5, None)]


def test_a_quiet_transform_writes_nothing() -> None:
    story = Story("leads", "persons", "organizations", "deals")
    story.lead()
    story.person()
    story.gone("persons", 1)
    story.run(1)
    before = story.rows("select * from ops.versions order by all")
    models = story.rows("select * from ops.models order by all")
    again = story.run(2)
    assert not again.is_changed
    assert {model.mode for model in again.models} == {"unchanged"}
    assert story.rows("select * from ops.versions order by all") == before
    assert story.rows("select * from ops.models order by all") == models


def test_new_versions_are_decoded_alone() -> None:
    story = Story("leads", "persons")
    story.lead()
    story.person()
    story.run(1)
    story.now = at(2)
    story.lead(title="B", update_time=iso(at(2)))
    built = {m.name: m.mode for m in story.run(2).models if m.mode != "unchanged"}
    assert built == {
        "staging.leads": "incremental",
        "staging.leads_custom_fields": "incremental",
        "staging.lead_versions": "incremental",
        "staging.lead_version_custom_fields": "incremental",
    }


def test_a_full_transform_keeps_the_versions() -> None:
    story = Story("leads")
    story.lead()
    story.run(1)
    story.now = at(2)
    story.lead(title="B", update_time=iso(at(2)))
    story.run(2)
    before = story.rows("select * from ops.versions order by all"), story.versions()
    story.run(3, full=True)
    assert (story.rows("select * from ops.versions order by all"), story.versions()) == before


def test_a_renamed_field_is_renamed_in_all_versions() -> None:
    story = Story("leads")
    story.listing("deal_fields", v1_field(KEY, "Budget", "double"))
    story.lead(**{KEY: 5})
    story.run(1)
    story.now = at(2)
    story.lead(**{KEY: 6, "update_time": iso(at(2))})
    story.run(2)
    story.listing("deal_fields", v1_field(KEY, "Price", "double"))
    story.run(3)
    assert story.versions(columns="cf_price") == [(0, 2, None, 5), (2, None, ["cf_price"], 6)]
    assert "cf_budget" not in story.columns_of("crm.lead_history")


def test_options_and_references_have_the_labels_of_today() -> None:
    options = [{"id": 1, "label": "Cold"}, {"id": 2, "label": "Hot"}]
    story = Story("leads")
    story.listing("users", {"id": 7, "name": "Una"}, {"id": 8, "name": "Bob"})
    story.listing("deal_fields", v1_field(KEY, "Heat", "enum", options=options))
    story.lead(**{KEY: "1", "owner_id": 7})
    story.run(1)
    story.now = at(2)
    story.lead(**{KEY: "2", "owner_id": 8, "update_time": iso(at(2))})
    options[0]["label"] = "Ice"
    story.listing("deal_fields", v1_field(KEY, "Heat", "enum", options=options))
    story.run(2)
    assert story.versions(columns="cf_heat, owner_name") == [
        (0, 2, None, "Ice", "Una"),
        (2, None, ["owner_id", "owner_name", "cf_heat", "cf_heat_id"], "Hot", "Bob"),
    ]


def test_the_last_values_of_a_deleted_field_stay_in_the_versions_after_it() -> None:
    story = Story("persons")
    story.listing("person_fields", v2_field(KEY, "X"), v2_field(key(2), "Y"))
    story.person(custom_fields={KEY: None, key(2): "y"})
    story.run(1)
    story.now = at(2)
    story.person(custom_fields={KEY: "a", key(2): "y"}, update_time=iso(at(2)))
    story.run(2)
    story.listing("person_fields", v2_field(key(2), "Y"))
    story.now = at(3)
    story.person(name="Bea", custom_fields={key(2): "y"}, update_time=iso(at(3)))
    story.run(3)
    assert story.versions("person", "name, cf_x, cf_y") == [
        (0, 2, None, "Ann", None, "y"),
        (2, 3, ["cf_x"], "Ann", "a", "y"),
        (3, None, ["name"], "Bea", "a", "y"),
    ]


def test_persons_and_organizations_have_histories_of_their_own() -> None:
    story = Story("persons", "organizations")
    story.deliver("organizations", {"id": 1, "name": "Acme", "update_time": iso(at(0))})
    story.person(org_id=1, emails=[{"value": "a@x.de", "primary": True}])
    story.person(2)
    story.run(1)
    story.now = at(2)
    story.deliver("organizations", {"id": 1, "name": "Acme Inc", "update_time": iso(at(2))})
    story.person(org_id=1, emails=[{"value": "b@x.de", "primary": True}], update_time=iso(at(2)))
    story.gone("persons", 2, "merged", merged_into_id=1)
    story.run(3)
    assert story.versions("organization", "id, name") == [
        (0, 2, None, 1, "Acme"),
        (2, None, ["name"], 1, "Acme Inc"),
    ]
    # the organization has its name of today in every version of the person
    assert story.versions("person", "id, organization_name, primary_email, merged_into_id") == [
        (0, 2, None, 1, "Acme Inc", "a@x.de", None),
        (2, None, ["primary_email", "emails"], 1, "Acme Inc", "b@x.de", None),
        (0, 2, None, 2, None, None, None),
        (2, None, ["is_deleted", "deleted_time", "merged_into_id"], 2, None, None, 1),
    ]
    assert story.one("select typeof(any_value(id)) from crm.person_history") == "BIGINT"


def test_a_deal_turned_back_into_a_lead_has_a_version() -> None:
    story = Story("deals")
    deal = {"id": 3, "title": "D", "status": "open", "update_time": iso(at(0))}
    story.deliver("deals", deal)
    story.run(1)
    story.now = at(2)
    story.deliver("archived_deals", deal | {"status": "won", "update_time": iso(at(2))})
    story.run(2)
    story.now = at(3)
    story.gone("deals", 3, "converted", converted_lead_id=LEAD)
    story.run(3)
    gone = ["status", "converted_lead_id", "is_deleted", "deleted_time"]
    assert story.versions("deal", "status, is_archived, converted_lead_id") == [
        (0, 2, None, "open", False, None),
        (2, 3, ["status", "is_archived"], "won", True, None),
        (3, None, gone, "converted", True, LEAD),
    ]


def test_the_same_record_in_another_dialect_is_no_version() -> None:
    story = Story("persons")
    story.listing("person_fields", v2_field(KEY, "When", "time"))
    time = {"value": "10:00:00", "timezone_id": 1, "timezone_name": "Europe/Berlin"}
    named = {"name": "Ann Lee", "first_name": "Ann", "last_name": "Lee"}
    story.person(**named, owner_id=5, custom_fields={KEY: time})
    story.run(1)
    story.now = at(2)
    flat = {"name": "Ann Lee", "owner_id": {"value": 5}, KEY: "10:00:00"}
    story.person(api="collection", update_time="2026-03-01 00:00:00", **flat)
    story.run(2)
    assert story.one("select count(*) from ops.versions") == 2
    assert story.versions("person", "first_name, owner_id") == [(0, None, None, None, 5)]
    story.now = at(3)
    story.person(**named | {"first_name": "Anna"}, owner_id=6, custom_fields={KEY: time})
    story.run(3)
    assert story.versions("person", "first_name, cf_when_timezone") == [
        (0, 3, None, None, None),
        (3, None, ["owner_id"], "Anna", "Europe/Berlin"),
    ]


def test_a_first_version_is_not_older_than_what_it_says() -> None:
    story = Story("leads", "persons")
    story.now = at(9)
    story.lead(is_archived=True, archive_time=iso(at(4)))
    story.person(1, update_time=None)
    story.person(2, update_time=None, add_time=None)
    story.person(3, update_time="2999-01-01T00:00:00Z")
    story.gone("persons", 1, deleted_time=at(6))
    story.run(10)
    assert [row[0] for row in story.versions()] == [4]
    assert [row[0] for row in story.versions("person", "id")] == [6, 9, 10]


def test_a_version_is_never_older_than_the_one_before_nor_from_the_future() -> None:
    story = Story("persons")
    story.person(update_time="2999-01-01T00:00:00Z")
    story.run(5)
    story.now = at(6)
    story.person(name="Bea", update_time=iso(at(1)))
    story.run(7)
    story.person(name="Cyd", update_time=iso(at(2)))
    story.run(4)  # the clock went back
    assert story.versions("person", "name") == [
        (5, 6, None, "Ann"),
        (6, 6, ["name"], "Bea"),
        (6, None, ["name"], "Cyd"),
    ]


def test_histories_begin_when_configured_and_go_on_after_a_pause() -> None:
    story = Story()
    story.lead()
    story.run(1)
    assert story.one("select count(*) from ops.versions") == 0
    assert story.rows("select * from duckdb_views() where view_name like '%version%'") == []
    story.history = ("leads",)
    assert story.run(2).is_changed
    assert story.versions() == [(0, None, None, "A")]
    story.history = ()
    story.now = at(3)
    story.lead(title="B", update_time=iso(at(3)))
    story.run(3)
    with pytest.raises(duckdb.CatalogException):
        story.versions()
    assert story.rows("select * from duckdb_views() where view_name like '%version%'") == []
    story.history = ("leads",)
    story.run(4)
    assert story.versions() == [(0, 3, None, "A"), (3, None, ["title"], "B")]


def test_every_column_of_a_history_is_described_in_order() -> None:
    story = Story("leads")
    story.listing("deal_fields", v1_field(KEY, "Budget", "monetary"))
    story.run(1)
    columns = story.columns_of("crm.leads")
    assert story.columns_of("crm.lead_history") == ["id", *HISTORY_COLUMNS, *columns[1:]]
    query = "select comment from duckdb_columns() where schema_name = 'crm' and table_name = "
    assert len(story.rows(query + "'lead_history'")) == len(columns) + len(HISTORY_COLUMNS)
    assert set(story.rows(query + "'leads'")) <= set(story.rows(query + "'lead_history'"))
    assert (None,) not in story.rows(query + "'lead_history'")


def test_names_people_gave_are_not_taken_for_relations() -> None:
    label = "raw.persons '; -- staging.persons ops.tombstones"
    options = [{"id": 1, "label": label}]
    story = Story("persons")
    story.listing("person_fields", v2_field(KEY, label, "enum", options=options))
    story.columns = {"persons": {KEY: "cf_x"}}
    story.person(custom_fields={KEY: 1})
    story.run(1)
    assert story.versions("person", "cf_x") == [(0, None, None, label)]
    sql = """select 'raw.a', "raw.a", x.raw.a from raw.a join raw.ab -- raw.a"""
    assert replace_relations(sql, {"raw.a": "b"}) == (
        """select 'raw.a', "raw.a", x.raw.a from b join raw.ab -- raw.a"""
    )


def test_views_of_histories_need_no_macros(tmp_path: Path) -> None:
    story = Story("leads", "persons", "organizations", "deals", path=tmp_path / "x.duckdb")
    story.lead()
    story.run(1)
    story.connection.close()
    with duckdb.connect(str(tmp_path / "x.duckdb")) as connection:
        for one in ("lead", "person", "organization", "deal"):
            rows = connection.execute(f"select * from crm.{one}_history").fetchall()
            assert len(rows) == (one == "lead")
