"""A lead is one row through all of its life, and deals are where it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from gone import LARGE, WITHOUT_DEALS, gone, lead_ids, steps
from projects import Project

from sources.sandbox import Sandbox

Make = Callable[[Sandbox], Project]


@pytest.mark.parametrize("moves", [False, pytest.param(True, marks=pytest.mark.thorough)])
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
