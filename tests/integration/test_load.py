"""From the sandbox over HTTP to `raw`: what is asked, what is stored, what is left alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Literal

import duckdb
import pytest
from projects import Project

from pipelines.errors import LoadFailed
from sources.pipedrive.errors import BudgetSpent
from sources.sandbox import Sandbox

Make = Callable[[Sandbox], Project]
ENTITIES = ("leads", "archived_leads", "persons", "organizations")
APIS: tuple[Literal["v2", "collection"], ...] = ("v2", "collection")


def ids(project: Project, table: str) -> set[Any]:
    return {row[0] for row in project.rows(f"select id from raw.{table}")}


def truth_ids(box: Sandbox) -> dict[str, set[Any]]:
    account = box.account
    leads = account.visible("lead")
    return {
        "leads": {lead.id for lead in leads if not lead.is_archived},
        "archived_leads": {lead.id for lead in leads if lead.is_archived},
        "persons": {person.id for person in account.visible("person")},
        "organizations": {o.id for o in account.visible("organization")},
    }


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(
    "page_size", ["7", *(pytest.param(size, marks=pytest.mark.thorough) for size in ("2", "500"))]
)
def test_a_first_load_has_every_record_once(project_of: Make, api: str, page_size: str) -> None:
    with Sandbox(persons=40, organizations=12, leads=15, archived_leads=9, seed=3) as box:
        project = project_of(box)
        project.run(api=api, page_size=page_size)
        expected = truth_ids(box)
        for table in ENTITIES:
            found = project.rows(f"select id from raw.{table}")
            assert len(found) == len(set(found))
            assert ids(project, table) == expected[table], table


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("nulls", ["first", pytest.param("last", marks=pytest.mark.thorough)])
def test_records_without_update_time_are_not_lost(
    project_of: Make, api: str, nulls: Literal["first", "last"]
) -> None:
    with Sandbox(
        persons=30, organizations=10, leads=20, archived_leads=8, null_update_time=0.3, nulls=nulls
    ) as box:
        for lead in list(box.account.visible("lead"))[::4]:
            box.account.edit("lead", lead.id, update_time=None)
        project = project_of(box)
        project.run(api=api, page_size="4")
        expected = truth_ids(box)
        for table in ENTITIES:
            assert ids(project, table) == expected[table], table


def test_the_payload_is_the_record_as_it_was_received(project_of: Make) -> None:
    odd = {"id": 77, "name": "Zoë", "n": 1.1, "nested": {"a": [1, None]}, "update_time": None}
    with Sandbox(persons=2) as box:
        box.fault("*v2/persons", "replace", payload=[odd])
        project = project_of(box)
        project.run(api="v2", resources=("persons",))
        ((payload, api),) = project.rows("select payload, api from raw.persons")
        assert json.loads(payload) == odd
        assert list(json.loads(payload)) == list(odd)
        assert api == "v2"


@pytest.mark.parametrize("api", APIS)
def test_packages_are_cut_without_losing_or_repeating_a_row(project_of: Make, api: str) -> None:
    with Sandbox(persons=60, organizations=10, leads=25, archived_leads=12) as box:
        project = project_of(box)
        project.run(api=api, page_size="5", package_rows="10")
        assert project.value("select count(distinct _dlt_load_id) from raw.persons") >= 5
        expected = truth_ids(box)
        for table in ENTITIES:
            assert ids(project, table) == expected[table], table
            assert project.value(f"select count(*) from raw.{table}") == len(expected[table])


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("package_rows", ["8", pytest.param("50000", marks=pytest.mark.thorough)])
def test_records_edited_between_two_pages_are_stored_once_as_they_are_now(
    project_of: Make, api: str, package_rows: str
) -> None:
    with Sandbox(persons=30, organizations=8, leads=24, archived_leads=6) as box:
        account = box.account
        leads = [lead for lead in account.visible("lead") if not lead.is_archived]
        by_age = sorted(leads, key=lambda lead: lead.update_time or account.now)

        def edit() -> None:
            account.edit("person", 1, name=f"Edited at {account.now}")
            account.edit("person", 29, name=f"Edited at {account.now}")
            account.edit("lead", by_age[0].id, title=f"Edited at {account.now}")
            account.edit("lead", by_age[-1].id, title=f"Edited at {account.now}")

        for path in ("*/persons*", "*/leads"):
            for page in (1, 3):
                box.fault(path, "hook", after=page, call=edit)
        project = project_of(box)
        for _ in range(2):  # what changed behind the walk is read by the next run at the latest
            project.run(api=api, page_size="4", package_rows=package_rows)
        for table, name in (("persons", "name"), ("leads", "title")):
            rows = dict(project.rows(f"select id, payload ->> '{name}' from raw.{table}"))
            assert project.value(f"select count(*) from raw.{table}") == len(rows)
            entity: Any = table.removesuffix("s")
            assert rows == {
                record.id: getattr(record, name)
                for record in account.visible(entity)
                if not getattr(record, "is_archived", False)
            }


@pytest.mark.parametrize("api", APIS)
def test_a_second_run_with_no_change_loads_nothing_and_asks_once_per_list(
    project_of: Make, api: str
) -> None:
    with Sandbox(persons=30, organizations=10, leads=12, archived_leads=5) as box:
        project = project_of(box)
        project.run(api=api)
        loads = project.value("select count(*) from raw._dlt_loads")
        asked = len(box.requests)
        result = project.run(api=api)
        assert project.value("select count(*) from raw._dlt_loads") == loads
        assert not result.is_published
        assert all(count == 1 for count in project.requests_of(result).values())
        # users/me, recents, four definition lists, labels, and the six lists themselves
        assert len(box.requests) - asked == 13
        assert sum(p.rows_loaded for p in result.progress) == 0


@pytest.mark.parametrize("api", APIS)
def test_an_incremental_run_reads_only_what_changed(project_of: Make, api: str) -> None:
    with Sandbox(persons=300, organizations=10, leads=80, archived_leads=60) as box:
        project = project_of(box)
        keys = {"api": api, "page_size": "20", "full_listing_pages": "0"}
        project.run(**keys)
        box.account.advance(3600)
        box.account.edit("person", 5, name="Someone else")
        lead = next(lead for lead in box.account.visible("lead") if not lead.is_archived)
        box.account.edit("lead", lead.id, title="Another title")
        result = project.run(**keys)
        by_entity = {p.entity: p for p in result.progress}
        assert by_entity["persons"].mode == "incremental"
        assert by_entity["persons"].rows_changed == 1
        assert by_entity["persons"].rows_listed <= 3
        assert by_entity["leads"].rows_changed == 1
        assert by_entity["archived_leads"].rows_loaded == 0
        assert all(by_entity[name].meter.requests == 1 for name in ENTITIES)
        assert project.value("select payload ->> 'name' from raw.persons where id = 5") == (
            "Someone else"
        )


def test_the_overlap_is_read_again_and_merged(project_of: Make) -> None:
    with Sandbox(persons=50) as box:
        project = project_of(box)
        keys = {"api": "v2", "full_listing_pages": "0"}
        project.run(**keys)
        watermark = project.value("select max(update_time) from raw.persons")
        late = watermark - timedelta(minutes=5)
        # written with an older time than the newest one that was read, as slow writers do
        box.account.edit("person", 7, name="Late", update_time=late.isoformat())
        project.run(**keys)
        assert project.value("select payload ->> 'name' from raw.persons where id = 7") == "Late"


def test_small_entities_are_listed_in_full_and_heal_silent_changes(project_of: Make) -> None:
    with Sandbox(persons=20) as box:
        project = project_of(box)
        project.run(api="v2", resources=("persons",))
        person = box.account.record("person", 3)
        box.account.edit("person", 3, name="Silently", update_time=person.update_time.isoformat())
        result = project.run(api="v2", resources=("persons",))
        assert {p.entity: p.mode for p in result.progress}["persons"] == "full"
        assert project.value("select payload ->> 'name' from raw.persons where id = 3") == (
            "Silently"
        )


@pytest.mark.parametrize("api", APIS)
def test_a_record_dated_in_the_future_does_not_hide_the_present(project_of: Make, api: str) -> None:
    with Sandbox(persons=30, leads=20, archived_leads=10) as box:
        account = box.account
        leads = list(account.visible("lead"))
        opened = [lead for lead in leads if not lead.is_archived]
        account.edit("person", 5, update_time="2099-01-01T00:00:00Z")
        account.edit("lead", opened[0].id, update_time="2099-01-01T00:00:00Z")
        project = project_of(box)
        keys = {"api": api, "full_listing_pages": "0", "page_size": "5"}
        project.run(**keys)
        account.advance(3600)
        account.edit("person", 3, name="Now")
        account.edit("lead", opened[1].id, title="Now")
        project.run(**keys)
        assert project.value("select payload ->> 'name' from raw.persons where id = 3") == "Now"
        assert (
            project.value(f"select payload ->> 'title' from raw.leads where id = '{opened[1].id}'")
            == "Now"
        )


def test_the_watermark_is_committed_with_the_rows(project_of: Make) -> None:
    with Sandbox(persons=20) as box:
        project = project_of(box)
        result = project.run(api="v2", resources=("persons",))
        newest = project.value("select max(update_time) from raw.persons")
        (persons,) = [p for p in result.progress if p.entity == "persons"]
        assert persons.watermark == newest
        assert (
            project.value(
                "select watermark from ops.steps where entity = 'persons' and step = 'read'"
            )
            == newest
        )


def test_an_entity_that_fails_keeps_its_watermark_and_the_others_their_rows(
    project_of: Make,
) -> None:
    with Sandbox(persons=30, organizations=5, leads=5, archived_leads=2) as box:
        box.fault("*/persons", "status", times=None, after=2, code=500)
        project = project_of(box)
        result = project.run(api="v2", page_size="10")
        assert result.exit_code == 3
        assert "persons" in str(result.error)
        assert project.value("select count(*) from raw.organizations") == 5
        assert project.value("select count(*) from raw.persons") == 20
        assert result.is_published
        box.clear_faults()
        assert project.run(api="v2", page_size="10").exit_code == 0
        assert project.value("select count(*) from raw.persons") == 30


def test_a_full_refresh_reads_everything_and_stores_only_what_differs(project_of: Make) -> None:
    with Sandbox(persons=30) as box:
        project = project_of(box)
        project.run(api="v2", page_size="10", full_listing_pages="0")
        result = project.run(api="v2", page_size="10", full_listing_pages="0", is_full_refresh=True)
        (persons,) = [p for p in result.progress if p.entity == "persons"]
        assert persons.rows_listed == 30
        assert persons.rows_loaded == 0


@pytest.mark.parametrize("api", APIS)
def test_start_date_leaves_older_records_out(project_of: Make, api: str) -> None:
    with Sandbox(persons=60, leads=30, archived_leads=30) as box:
        project = project_of(box)
        project.run(api=api, start_date="2026-01-01")
        entities: dict[str, Any] = {"persons": "person", "leads": "lead", "archived_leads": "lead"}
        for table, entity in entities.items():
            assert ids(project, table) == {
                record.id
                for record in box.account.visible(entity)
                if record.update_time
                and record.update_time.year >= 2026
                and getattr(record, "is_archived", False) == (table == "archived_leads")
            }


def test_a_package_that_cannot_be_written_is_told_and_loses_nothing(project_of: Make) -> None:
    with Sandbox(persons=10, organizations=3) as box:
        project = project_of(box)
        project.run()
        file = project.folder / "warehouse.duckdb"
        with duckdb.connect(str(file)) as connection:
            connection.execute("alter table raw.persons rename to people")
            connection.execute("create view raw.persons as from raw.people")
        box.account.edit("person", 1, name="Changed")
        box.account.edit("organization", 1, name="Changed")
        before = project.rows("select load_id from raw._dlt_loads")
        with pytest.raises(LoadFailed, match="could not be loaded") as caught:
            project.run()
        assert caught.value.exit_code == 1
        assert project.rows("select load_id from raw._dlt_loads") == before
        names = "select count(*) from raw.organizations where payload ->> 'name' = 'Changed'"
        assert project.value(names) == 0  # all of a package, or nothing
        assert project.value("select count(*) from persons", published=True) == 10
        outcomes = project.rows("select outcome from ops.runs order by started_time")
        assert outcomes == [("ok",), ("failed",)]


def test_a_spent_budget_stops_every_list_before_it_asks(project_of: Make) -> None:
    with Sandbox(persons=30, organizations=5, leads=5) as box:
        box.fault("*/dealFields", "daily_429", times=None)
        with pytest.raises(BudgetSpent):
            project_of(box).run(concurrency="1")
        assert len(box.requests) <= 3
        assert len([r for r in box.requests if r.status == 429]) == 1


def test_a_budget_spent_everywhere_publishes_what_was_loaded(project_of: Make) -> None:
    with Sandbox(persons=30, organizations=30, leads=30, archived_leads=30) as box:
        box.fault("*/persons", "daily_429", times=None, after=1)
        project = project_of(box)
        result = project.run(page_size="10", daily_reserve="0")
        assert result.exit_code == 75
        assert result.is_published
        assert project.value("select count(*) from persons", published=True) == 10
