"""Deletions, merges, conversions, archiving: noticed, believed with evidence only, taken back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

import pytest
from projects import Project

from pipelines.outcome import RunResult
from sources.sandbox import Sandbox

Make = Callable[[Sandbox], Project]
LARGE = {"full_listing_pages": "0"}
"""Settings under which no list counts as small: incremental reads, as in a large account."""

WITHOUT_DEALS = "leads,archived_leads,persons,organizations"


def gone(project: Project, table: str) -> dict[Any, tuple[Any, ...]]:
    """Of the flagged rows of a published table: when, and where they went."""
    more = {
        "leads": "status, converted_deal_id",
        "deals": "status, converted_lead_id",
    }.get(table, "merged_into_id")
    rows = project.rows(
        f"select id, deleted_time is not null, {more} from {table} where is_deleted", published=True
    )
    return {row[0]: row[2:] for row in rows if row[1]}


def steps(project: Project, step: str, run: RunResult) -> dict[str, dict[str, Any]]:
    """The steps of one kind in a run, by entity."""
    names = ("mode", "requests", "rows_listed", "rows_live", "rows_deleted", "note", "error")
    rows = project.rows(
        f"select entity, {', '.join(names)} from ops.steps "
        f"where run_id = '{run.run_id}' and step = '{step}'"
    )
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}


def lead_ids(box: Sandbox, *, archived: bool = False) -> list[str]:
    return [x.id for x in box.account.visible("lead") if x.is_archived is archived]


def hide(box: Sandbox, *persons: int) -> None:
    with box.account.same_moment():
        box.account.hidden["person"] = set(persons)


# What the recent changes tell


@pytest.mark.parametrize("form", ["row", "null", "list"])
@pytest.mark.parametrize("api", ["v2", "collection"])
def test_a_deleted_person_is_flagged_by_the_next_run_of_a_large_account(
    project_of: Make, api: str, form: Literal["row", "null", "list"]
) -> None:
    with Sandbox(recents_gone=form) as box:
        project = project_of(box)
        project.run(api=api, **LARGE)
        box.account.delete("person", 3)
        box.account.delete("organization", 2)
        second = project.run(api=api, **LARGE)
        assert second.exit_code == 0
        assert gone(project, "persons") == {3: (None,)}
        assert gone(project, "organizations") == {2: (None,)}
        assert steps(project, "read", second)["persons"]["mode"] == "incremental"


@pytest.mark.parametrize("named_on", ["loser", "survivor"])
def test_a_merged_person_names_the_one_it_went_into(
    project_of: Make, named_on: Literal["loser", "survivor"]
) -> None:
    with Sandbox(merge_what_id=named_on) as box:
        project = project_of(box)
        project.run(**LARGE)
        box.account.merge("person", 4, 5)
        project.run(**LARGE)
        assert gone(project, "persons") == {4: (5,)}


def test_the_time_of_a_deletion_is_pipedrives(project_of: Make) -> None:
    with Sandbox() as box:
        project = project_of(box)
        project.run(**LARGE)
        box.account.delete("person", 3)
        deleted: datetime = box.account.persons[3].delete_time
        project.run(**LARGE)
        found = project.value("select deleted_time from persons where id = 3", published=True)
        assert found == deleted


@pytest.mark.parametrize("settings", [LARGE, {}])
def test_a_restored_person_is_as_if_it_had_never_been_gone(
    project_of: Make, settings: dict[str, str]
) -> None:
    with Sandbox() as box:
        project = project_of(box)
        project.run(**settings)
        before = project.records("persons")[3]
        box.account.delete("person", 3)
        project.run(**settings)
        box.account.restore("person", 3)
        project.run(**settings)
        after = project.records("persons")[3]
        assert after | {"update_time": None} == before | {"update_time": None}
        assert project.value("select count(*) from ops.tombstones") == 0


def test_one_request_asks_for_the_changes_of_all_tables(project_of: Make) -> None:
    with Sandbox() as box:
        project = project_of(box)
        project.run()
        box.account.advance(900)
        start = len(box.requests)
        project.run()
        asked = [r for r in box.requests[start:] if r.path.endswith("/recents")]
        assert [r.params["items"] for r in asked] == ["person,organization,deal"]


def test_a_gap_of_more_than_a_month_forces_a_whole_list_and_says_so(
    project_of: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    with Sandbox() as box:
        project = project_of(box)
        project.run(**LARGE)
        box.account.delete("person", 3)
        box.account.merge("organization", 1, 2)
        box.account.advance(40 * 86_400)
        project.environment |= {"RECONCILE__EVERY": "3000d", "RECONCILE__LEADS": "3000d"}
        second = project.run(**LARGE)
        assert set(gone(project, "persons")) == {3}
        assert set(gone(project, "organizations")) == {1}
        assert steps(project, "read", second)["persons"]["mode"] == "full"
        assert steps(project, "read", second)["leads"]["mode"] == "incremental"
        assert "looks back one month" in capsys.readouterr().err


@pytest.mark.parametrize("code", [403, 404])
def test_without_recents_a_run_is_fine_and_reconcile_finds_what_is_gone(
    project_of: Make, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with Sandbox() as box:
        project = project_of(box)
        project.run(**LARGE)
        box.fault("*/recents", "status", times=99, code=code)
        box.account.delete("person", 3)
        assert project.run(**LARGE).exit_code == 0
        assert "reconcile alone" in capsys.readouterr().err
        assert gone(project, "persons") == {}
        assert project.reconcile(**LARGE).exit_code == 0
        assert set(gone(project, "persons")) == {3}


def test_a_poll_that_fails_is_made_up_for(project_of: Make) -> None:
    with Sandbox() as box:
        project = project_of(box)
        project.run(**LARGE)
        box.account.delete("person", 3)
        box.fault("*/recents", "status", times=5, code=503)
        assert project.run(**LARGE).exit_code == 3
        box.account.advance(86_400)
        assert project.run(**LARGE).exit_code == 0
        assert set(gone(project, "persons")) == {3}


# The life of a lead


@pytest.mark.parametrize("moves", [True, False])
def test_a_lead_is_one_row_through_all_of_its_life(project_of: Make, moves: bool) -> None:
    with Sandbox(archive_moves_update_time=moves, leads=40, archived_leads=10) as box:
        project = project_of(box)
        project.run()
        lead = lead_ids(box)[0]

        def now() -> dict[str, Any]:
            assert project.run().exit_code == 0
            return project.records("leads")[lead]

        box.account.archive_lead(lead)
        archived = now()
        assert (archived["status"], archived["is_archived"]) == ("archived", True)
        assert archived["archive_time"] == box.account.leads[lead].archive_time
        box.account.unarchive_lead(lead)
        reopened = now()
        assert (reopened["status"], reopened["archive_time"]) == ("open", None)
        deal = box.account.convert_lead(lead)
        converted = now()
        assert (converted["status"], converted["converted_deal_id"]) == ("converted", deal)
        assert converted["deleted_time"] == box.account.deals[deal].add_time
        assert project.records("deals")[deal]["source_lead_id"] == lead
        ids = project.rows("select id from leads", published=True)
        assert len(ids) == len(set(ids)) == 50


def test_a_deal_turned_back_into_a_lead_is_converted_too(project_of: Make) -> None:
    with Sandbox() as box:
        project = project_of(box)
        project.run(**LARGE)
        deal = box.account.visible("deal")[0].id
        lead = box.account.convert_deal_to_lead(deal)
        project.run(**LARGE)
        assert gone(project, "deals") == {deal: ("converted", lead)}
        assert project.records("leads")[lead]["source_deal_id"] == deal


def test_a_deleted_lead_is_found_by_the_list_of_a_small_account(project_of: Make) -> None:
    with Sandbox() as box:
        project = project_of(box)
        project.run()
        lead = lead_ids(box)[0]
        box.account.delete("lead", lead)
        project.run()
        assert gone(project, "leads") == {lead: ("deleted", None)}


def test_a_large_account_finds_deleted_leads_when_a_reconcile_is_due(project_of: Make) -> None:
    with Sandbox() as box:
        project = project_of(box)
        project.run(**LARGE)
        lead = lead_ids(box)[0]
        box.account.delete("lead", lead)
        box.account.delete("person", 3)
        early = project.run(**LARGE)
        assert gone(project, "leads") == {}
        assert "leads" not in steps(project, "reconcile", early)
        box.account.advance(25 * 3600)
        due = project.run(**LARGE)
        assert gone(project, "leads") == {lead: ("deleted", None)}
        assert set(steps(project, "reconcile", due)) == {"leads"}
        box.account.advance(7 * 86_400)
        assert set(steps(project, "reconcile", project.run(**LARGE))) == {
            "leads", "persons", "organizations", "deals",
        }  # fmt: skip


def test_a_converted_lead_without_deals_loaded_is_deleted(project_of: Make) -> None:
    with Sandbox() as box:
        project = project_of(box)
        project.environment["SOURCES__PIPEDRIVE__RESOURCES"] = WITHOUT_DEALS
        project.run()
        lead = lead_ids(box)[0]
        box.account.convert_lead(lead)
        project.run()
        assert gone(project, "leads") == {lead: ("deleted", None)}
        assert project.value("select count(*) from deals", published=True) == 0


def test_open_leads_alone_are_never_taken_for_deleted_when_archived(project_of: Make) -> None:
    with Sandbox() as box:
        project = project_of(box)
        project.environment["SOURCES__PIPEDRIVE__RESOURCES"] = "leads"
        project.run()
        box.account.archive_lead(lead_ids(box)[0])
        assert project.run().exit_code == 0
        assert project.reconcile().exit_code == 0
        assert gone(project, "leads") == {}


@pytest.mark.parametrize("where", ["v1/leads", "v1/leads/archived"])
def test_a_lead_that_moves_between_the_lists_while_they_are_read_is_not_gone(
    project_of: Make, where: str
) -> None:
    with Sandbox(archive_moves_update_time=False) as box:
        project = project_of(box)
        project.run()
        archived = lead_ids(box, archived=True)[0]
        box.fault(f"*{where}", "hook", call=lambda: box.account.unarchive_lead(archived))
        assert project.run().exit_code == 0
        assert gone(project, "leads") == {}
        assert project.run().exit_code == 0
        assert project.records("leads")[archived]["status"] == "open"


# Reconcile


@pytest.mark.parametrize("api", ["v2", "collection"])
def test_a_reconcile_heals_rows_that_changed_without_a_trace(project_of: Make, api: str) -> None:
    with Sandbox() as box:
        project = project_of(box)
        project.run(api=api, **LARGE)
        box.account.edit("person", 1, name="Silent change", update_time=None)
        box.account.edit("organization", 1, name="Old time", update_time="2020-01-01T00:00:00Z")
        project.run(api=api, **LARGE)
        assert project.records("persons")[1]["name"] != "Silent change"
        result = project.reconcile(api=api, **LARGE)
        assert project.records("persons")[1]["name"] == "Silent change"
        assert project.records("organizations")[1]["name"] == "Old time"
        for found in steps(project, "reconcile", result).values():
            assert found["rows_listed"] == found["rows_live"]
            assert found["note"] is None


def test_sixty_percent_suddenly_invisible_are_not_marked_unless_accepted(
    project_of: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    with Sandbox(persons=60) as box:
        project = project_of(box)
        project.run()
        before = project.table("persons")
        hidden = box.account.set_visibility("person", 0.6)
        refused = project.reconcile()
        assert refused.exit_code == 4
        assert f"{hidden} of 60 persons" in str(refused.error)
        assert "may no longer see" in str(refused.error)
        assert project.table("persons") == before
        assert steps(project, "reconcile", refused)["persons"]["error"]
        project.run(**LARGE)
        assert "the last reconcile of persons was refused" in capsys.readouterr().err

        assert project.reconcile(accepts_deletions=True).exit_code == 0
        assert len(gone(project, "persons")) == hidden
        box.account.set_visibility("person", 0)
        assert project.reconcile().exit_code == 0
        assert project.table("persons") == before


def test_another_user_marks_nothing_until_somebody_agrees(project_of: Make) -> None:
    with Sandbox() as box:
        project = project_of(box)
        project.run()
        box.account.set_admin(False)
        hide(box, 1)
        refused = project.reconcile()
        assert refused.exit_code == 4
        assert "no admin any more" in str(refused.error)
        assert gone(project, "persons") == {}
        assert project.reconcile().exit_code == 4, "asking again changes nothing"
        assert project.reconcile(accepts_deletions=True).exit_code == 0
        assert set(gone(project, "persons")) == {1}
        hide(box, 1, 2)
        assert project.reconcile().exit_code == 0, "the same user as last time"
        assert set(gone(project, "persons")) == {1, 2}


@pytest.mark.parametrize("path", ["*/persons", "*/leads", "*/leads/archived", "*/deals"])
@pytest.mark.parametrize("after", [0, 1])
def test_a_list_that_fails_marks_nothing(project_of: Make, path: str, after: int) -> None:
    with Sandbox(deals=12) as box:
        project = project_of(box)
        project.run(page_size="5")
        box.fault(path, "status", times=5, after=after, code=500)
        result = project.reconcile(page_size="5")
        assert result.exit_code == 3
        for table in ("persons", "leads", "deals"):
            assert gone(project, table) == {}
        assert project.reconcile(page_size="5").exit_code == 0


@pytest.mark.parametrize(
    "fault", [("data_null", {}), ("replace", {"payload": []}), ("no_additional_data", {})]
)
@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize("path", ["*/persons", "*/leads", "*/leads/archived", "*/organizations"])
def test_an_empty_or_endless_page_is_no_evidence(
    project_of: Make, fault: tuple[str, dict[str, Any]], after: int, path: str
) -> None:
    with Sandbox(persons=18, organizations=18, leads=18, archived_leads=18) as box:
        project = project_of(box)
        project.run(page_size="5")
        kind, arguments = fault
        box.fault(path, kind, times=99, after=after, **arguments)
        result = project.reconcile(page_size="5")
        assert result.exit_code in (0, 4)
        for table in ("persons", "leads", "organizations"):
            assert gone(project, table) == {}
        box.clear_faults()
        assert project.reconcile(page_size="5").exit_code == 0


def test_records_of_a_reconcile_under_a_start_date_are_not_absent(project_of: Make) -> None:
    with Sandbox() as box:
        project = project_of(box)
        project.run()
        assert project.reconcile(start_date="2026-05-01").exit_code == 0
        for table in ("persons", "leads", "organizations", "deals"):
            assert gone(project, table) == {}


# Where deals cannot be had


def test_a_host_without_deals_is_fine(project_of: Make, capsys: pytest.CaptureFixture[str]) -> None:
    with Sandbox(v2=False) as box:
        project = project_of(box)
        assert project.run().exit_code == 0
        assert "deals are left out" in capsys.readouterr().err
        assert project.run().exit_code == 0


def test_deals_are_off_by_one_line(project_of: Make) -> None:
    with Sandbox() as box:
        project = project_of(box)
        project.environment["SOURCES__PIPEDRIVE__RESOURCES"] = WITHOUT_DEALS
        project.run()
        assert not [r for r in box.requests if "/deals" in r.path or "/stages" in r.path]


# What is stated


def test_each_run_states_what_it_read_and_what_is_there(project_of: Make) -> None:
    with Sandbox(persons=30, leads=20, archived_leads=6) as box:
        project = project_of(box)
        project.run()
        box.account.edit("person", 1, name="Changed")
        box.account.create("person", name="Created")
        box.account.delete("person", 2)
        box.account.archive_lead(lead_ids(box)[0])
        result = project.run()
        read = steps(project, "read", result)
        assert (read["persons"]["rows_live"], read["persons"]["rows_deleted"]) == (30, 1)
        assert (read["leads"]["rows_live"], read["archived_leads"]["rows_live"]) == (19, 7)
        (progress,) = (p for p in result.progress if p.entity == "persons")
        assert (progress.rows_listed, progress.rows_new, progress.rows_changed) == (30, 1, 1)


def test_a_token_that_is_no_admins_is_told(
    project_of: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    with Sandbox(admin=False) as box:
        project_of(box).run(api="v2")
        assert "is no admin: what this user may not see is not loaded" in capsys.readouterr().err
