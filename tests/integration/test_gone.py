"""Deletions and merges that the recent changes tell, noticed by the next run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal

import pytest
from gone import LARGE, gone, steps
from projects import Project

from sources.sandbox import Sandbox

Make = Callable[[Sandbox], Project]


@pytest.mark.parametrize(
    ("form", "api"),
    [
        ("row", "v2"),
        ("null", "collection"),
        ("list", "v2"),
        *(
            pytest.param(*case, marks=pytest.mark.thorough)
            for case in (("row", "collection"), ("null", "v2"), ("list", "collection"))
        ),
    ],
)
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
