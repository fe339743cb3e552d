"""Data checks in a run: one that fails leaves the published file as it was, and says so."""

from __future__ import annotations

from collections.abc import Callable

import duckdb
import pytest
from click.testing import CliRunner
from projects import Project

from pipelines.cli import main
from sources.sandbox import Sandbox

Make = Callable[[Sandbox], Project]


def spoil(project: Project, sql: str) -> None:
    with duckdb.connect(str(project.folder / "warehouse.duckdb")) as connection:
        connection.execute(sql)


def test_each_run_leaves_the_results_of_all_checks(project_of: Make) -> None:
    with Sandbox() as box:
        project = project_of(box)
        result = project.run()
        rows = project.rows("select run_id, severity, is_ok from sync_checks", published=True)
        assert {row[0] for row in rows} == {result.run_id}
        assert {row[1] for row in rows} == {"error", "warn"}
        assert all(is_ok for _, severity, is_ok in rows if severity == "error")


def test_a_failed_check_keeps_the_published_file_and_ends_with_4(
    project_of: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Sandbox() as box:
        project = project_of(box)
        project.run()
        before = (project.folder / "pipedrive.duckdb").read_bytes()
        spoil(project, "insert into raw.persons select * from raw.persons where id = 3")
        box.account.edit("person", 3, name="Somebody else")
        box.account.edit("person", 4, name="Loaded all the same")
        refused = project.run(full_listing_pages="0")
        assert refused.exit_code == 4
        assert "unique_ids" in str(refused.error)
        assert "published file is as it was" in str(refused.error)
        assert not refused.is_published
        assert (project.folder / "pipedrive.duckdb").read_bytes() == before
        assert "unique" in capsys.readouterr().err
        assert project.rows(
            f"select outcome, exit_code from ops.runs where run_id = '{refused.run_id}'"
        ) == [("refused", 4)]
        assert project.run(full_listing_pages="0").exit_code == 4, "a quiet run is no excuse"

        for name, value in project.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(project.folder)
        shown = CliRunner().invoke(main, ["status"])
        assert "check failed, error" in shown.output
        assert CliRunner().invoke(main, ["transform"]).exit_code == 4

        assert CliRunner().invoke(main, ["run", "--full-refresh"]).exit_code == 0
        assert project.records("persons")[4]["name"] == "Loaded all the same"


def test_a_shape_that_pipedrive_changed_is_not_published_as_nulls(project_of: Make) -> None:
    with Sandbox(persons=120) as box:
        project = project_of(box)
        project.run()
        people = [{"id": x, "name": {"text": "new shape"}} for x in range(1, 121)]
        box.fault("*/persons", "replace", payload=people)
        refused = project.reconcile()
        assert refused.exit_code == 4
        assert "values_mostly_rejected" in str(refused.error)
        assert project.value("select count(name) from persons", published=True) == 120
        assert project.reconcile().exit_code == 0
