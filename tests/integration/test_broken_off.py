"""Runs broken off at awkward moments, and what the ones after them do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from history_of_account import History
from projects import Project

import pipelines.run
from sources.sandbox import Sandbox

Make = Callable[[Sandbox], Project]
_ACCOUNT = {
    "persons": 60, "organizations": 30, "leads": 40, "archived_leads": 30, "deals": 30,
    "archived_deals": 20,
}  # fmt: skip
_KEYS = {"page_size": "5", "package_rows": "10", "full_listing_pages": "0"}


class Killed(BaseException):
    """What a test throws in place of SIGKILL: nothing of ours catches it and goes on."""


def kill_before_settling(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that ends when everything is committed, and nothing of it is settled."""

    def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(pipelines.run, "Settling", killed)
        with pytest.raises(Killed):
            project.run(**_KEYS)


@pytest.mark.parametrize(("kind", "exit_code"), [("daily_429", 75), ("success_false", 3)])
def test_after_a_kill_before_settling_and_a_bad_run_the_next_one_is_whole(
    project_of: Make, monkeypatch: pytest.MonkeyPatch, kind: str, exit_code: int
) -> None:
    with Sandbox(**_ACCOUNT) as box:
        project = project_of(box)
        kill_before_settling(project, monkeypatch)
        box.fault("*/persons", kind, times=None)
        assert project.run(**_KEYS).exit_code == exit_code
        box.clear_faults()
        history = History(box, project, "v2")
        history.run(lambda: project.run(**_KEYS))
        history.settle(_KEYS)


def test_what_was_committed_before_a_kill_is_not_read_again(
    project_of: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Sandbox(**_ACCOUNT) as box:
        project = project_of(box)
        kill_before_settling(project, monkeypatch)
        box.account.delete("person", 1)
        before = len(box.requests)
        capsys.readouterr()
        result = project.run(**_KEYS)
        assert "a month" not in capsys.readouterr().err
        pages = [request for request in box.requests[before:] if request.path.endswith("/persons")]
        assert len(pages) == 1
        assert result.exit_code == 0
        assert project.records("persons")[1]["is_deleted"]


def test_rows_of_a_run_that_was_killed_are_published_by_one_that_can_read_nothing(
    project_of: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox(**_ACCOUNT) as box:
        project = project_of(box)
        kill_before_settling(project, monkeypatch)
        box.fault("*/dealFields", "daily_429", times=None)
        assert project.run(**_KEYS).exit_code == 75
        assert project.value("select count(*) from persons", published=True) == 60


def test_a_list_that_never_ends_its_first_load_does_not_hide_what_is_gone_elsewhere(
    project_of: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    with Sandbox(**_ACCOUNT) as box:
        project = project_of(box)
        box.fault("*/persons", "status", times=None, after=5, code=403)
        assert project.run(**_KEYS).exit_code == 3
        lead = box.account.visible("lead")[0]
        box.account.delete("lead", lead.id)
        box.account.advance(30 * 3600)
        capsys.readouterr()
        assert project.run(**_KEYS).exit_code == 3
        assert "leads: the whole list is due and waits for the first load" in (
            capsys.readouterr().err
        )
        assert not project.records("leads")[lead.id]["is_deleted"]
        box.account.advance(50 * 3600)
        assert project.run(**_KEYS).exit_code == 3
        assert project.records("leads")[lead.id]["is_deleted"]


def test_a_run_that_is_interrupted_says_so_in_the_ledger(
    project_of: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox(persons=3) as box:
        project = project_of(box)
        kill_before_settling(project, monkeypatch)
        assert project.rows("select outcome, error from ops.runs") == [
            ("failed", "It was stopped from outside.")
        ]


def test_failed_requests_and_waits_are_in_the_ledger_and_the_others_are_not(
    project_of: Make,
) -> None:
    with Sandbox(persons=6, organizations=3) as box:
        project = project_of(box)
        box.fault("*/persons", "status", code=503)
        box.fault("*/organizations", "success_false", times=None)
        result = project.run(resources=("persons", "organizations"))
        assert result.exit_code == 3
        rows = project.rows(
            "select entity, path, status, kind, count(*), count(*) filter (is_final) "
            f"from ops.requests where run_id = '{result.run_id}' group by all order by all"
        )
        assert rows == [
            ("organizations", "v2/organizations", None, "success false", 5, 1),
            ("persons", "v2/persons", 503, "503", 1, 0),
        ]
