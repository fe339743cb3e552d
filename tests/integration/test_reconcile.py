"""Whole lists against the rows: what differs is healed, what is absent believed with care."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner
from gone import LARGE, gone, hide, steps
from projects import Project

from pipelines.cli import main
from sources.sandbox import Sandbox

Make = Callable[[Sandbox], Project]


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
        assert "not settled since the last reconcile" in capsys.readouterr().err

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


@pytest.mark.parametrize(
    ("path", "after"), [("*/persons", 1), ("*/leads", 0), ("*/leads/archived", 1), ("*/deals", 1)]
)
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
    ("path", "fault", "after"),
    [
        ("*/persons", ("data_null", {}), 0),
        ("*/persons", ("replace", {"payload": []}), 1),
        ("*/leads", ("data_null", {}), 0),
        *(
            pytest.param(*case, marks=pytest.mark.thorough)
            for case in (
                ("*/persons", ("data_null", {}), 1),
                ("*/persons", ("no_additional_data", {}), 0),
                ("*/leads", ("replace", {"payload": []}), 1),
                ("*/leads/archived", ("data_null", {}), 1),
                ("*/leads/archived", ("replace", {"payload": []}), 0),
            )
        ),
    ],
)
def test_an_empty_or_endless_page_is_no_evidence(
    project_of: Make, fault: tuple[str, dict[str, Any]], after: int, path: str
) -> None:
    with Sandbox(persons=18, organizations=18, leads=18, archived_leads=18) as box:
        project = project_of(box)
        project.run(page_size="5")
        kind, arguments = fault
        box.fault(path, kind, times=99, after=after, **arguments)
        result = project.reconcile(page_size="5")
        assert result.exit_code in (0, 3, 4)
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


def test_an_empty_list_is_read_again_before_anybody_may_say_that_all_is_gone(
    project_of: Make,
) -> None:
    with Sandbox(persons=30) as box:
        project = project_of(box)
        project.run()
        box.fault("*/persons", "replace", payload=[])
        assert project.reconcile(accepts_deletions=True).exit_code == 0
        assert gone(project, "persons") == {}
        box.fault("*/persons", "data_null", times=99)
        assert project.reconcile(accepts_deletions=True).exit_code == 4
        assert gone(project, "persons") == {}


@pytest.mark.parametrize("api", ["v2", "collection"])
def test_a_page_that_does_not_say_whether_it_is_the_last_is_asked_for_again(
    project_of: Make, api: str
) -> None:
    with Sandbox(persons=40) as box:
        project = project_of(box)
        box.fault("*/persons*", "no_additional_data", after=1)
        assert project.run(api=api, page_size="10").exit_code == 0
        assert len(project.records("persons")) == 40


@pytest.mark.parametrize("api", ["v2", "collection"])
def test_a_first_load_that_is_cut_is_not_green_and_is_made_up_for(
    project_of: Make, api: str
) -> None:
    with Sandbox(persons=40) as box:
        project = project_of(box)
        box.fault("*/persons*", "no_additional_data", times=2, after=1)
        assert project.run(api=api, page_size="10").exit_code == 3
        assert project.run(api=api, page_size="10").exit_code == 0
        assert len(project.records("persons")) == 40


def test_many_records_out_of_sight_in_the_poll_are_refused_too(project_of: Make) -> None:
    with Sandbox(persons=60) as box:
        project = project_of(box)
        project.run(**LARGE)
        box.account.edit("person", *range(1, 61), name="Touched")
        hide(box, *range(1, 41))
        refused = project.run(**LARGE)
        assert refused.exit_code == 4
        assert gone(project, "persons") == {}


def test_a_record_without_data_in_the_poll_is_looked_up_before_it_is_marked(
    project_of: Make,
) -> None:
    with Sandbox() as box:
        project = project_of(box)
        project.run(**LARGE)
        box.account.advance(3600)
        rows = [{"item": "person", "id": number, "data": None} for number in (3, 4)]
        hide(box, 4)
        box.fault("*/recents", "replace", payload=rows)
        assert project.run(**LARGE).exit_code == 0
        assert set(gone(project, "persons")) == {4}


def test_a_gap_is_open_until_a_whole_list_has_closed_it(project_of: Make) -> None:
    with Sandbox() as box:
        project = project_of(box)
        project.environment |= {"RECONCILE__EVERY": "3000d", "RECONCILE__LEADS": "3000d"}
        project.run(**LARGE)
        box.account.delete("person", 3)
        box.account.advance(40 * 86_400)
        box.fault("*/persons", "status", times=5, code=500)
        assert project.run(**LARGE).exit_code == 3
        assert gone(project, "persons") == {}
        assert project.run(**LARGE).exit_code == 0
        assert set(gone(project, "persons")) == {3}
        assert steps(project, "read", project.run(**LARGE))["persons"]["mode"] == "incremental"


def test_a_poll_that_looks_back_less_than_asked_is_followed_by_whole_lists(
    project_of: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sources.sandbox.recents.LONGEST", timedelta(days=10))
    with Sandbox() as box:
        project = project_of(box)
        project.environment |= {"RECONCILE__EVERY": "3000d", "RECONCILE__LEADS": "3000d"}
        project.run(**LARGE)
        box.account.delete("person", 3)
        box.account.advance(20 * 86_400)
        assert project.run(**LARGE).exit_code == 0
        assert set(gone(project, "persons")) == {3}
        assert "does not look back far enough" in capsys.readouterr().err


def test_a_list_that_stops_being_served_half_way_is_an_error(project_of: Make) -> None:
    with Sandbox(deals=20) as box:
        project = project_of(box)
        box.fault("*/deals", "status", times=9, after=1, code=404)
        assert project.run(page_size="5").exit_code == 3
        box.clear_faults()
        assert project.run(page_size="5").exit_code == 0
        assert len(project.records("deals")) == 22
        box.fault("*/deals", "status", times=9, code=404)
        assert project.run(page_size="5").exit_code == 3, "rows would go stale in silence"


def test_deals_without_their_archive_are_not_compared_and_not_read_whole_each_time(
    project_of: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    with Sandbox() as box:
        project = project_of(box)
        box.fault("*/deals/archived", "status", times=99, code=404)
        project.run(**LARGE)
        assert "deals are not compared" in capsys.readouterr().err
        box.account.delete("deal", 1)
        second = project.run(**LARGE)
        assert steps(project, "read", second)["deals"]["mode"] == "incremental"
        assert set(gone(project, "deals")) == {1}, "the poll tells"


def test_listed_is_live_under_a_start_date_that_came_later(project_of: Make) -> None:
    with Sandbox() as box:
        project = project_of(box)
        project.run()
        result = project.reconcile(start_date="2026-05-20")
        assert result.exit_code == 0
        for found in steps(project, "reconcile", result).values():
            assert found["rows_listed"] == found["rows_live"]


def test_the_command_ends_with_4_and_accepts(
    project_of: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox(persons=60) as box:
        project = project_of(box)
        project.run()
        box.account.set_visibility("person", 0.6)
        for name, value in project.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(project.folder)
        refused = CliRunner().invoke(main, ["reconcile"])
        assert refused.exit_code == 4
        assert "pipeduck reconcile --accept-deletions" in refused.output
        status = CliRunner().invoke(main, ["status"])
        assert "not as listed" in status.output
        assert "60 persons" in status.output
        assert CliRunner().invoke(main, ["reconcile", "--accept-deletions"]).exit_code == 0


def test_status_of_a_file_of_an_earlier_version_says_what_to_do(
    project_of: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox(persons=5) as box:
        project = project_of(box)
        project.run()
        with duckdb.connect(str(project.folder / "warehouse.duckdb")) as connection:
            connection.execute(
                "drop view crm.sync_steps; drop view crm.sync_checks;"
                "alter table ops.steps drop column note; alter table ops.steps drop column "
                "rows_live; alter table ops.tombstones drop column marked_time;"
                "drop table ops.checks; delete from ops.models"
            )
        for name, value in project.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(project.folder)
        old = CliRunner().invoke(main, ["status"])
        assert old.exit_code == 2
        assert "earlier version" in old.output
        assert project.run().exit_code == 0
        assert CliRunner().invoke(main, ["status"]).exit_code == 0
