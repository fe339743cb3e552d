"""Runs as their operator hears of them: notifications, log lines and ledger of real ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner, Result
from listener import listening
from projects import Project

from pipelines.cli import main
from sources.sandbox import Sandbox

Make = Callable[[Sandbox], Project]


def call(project: Project, *arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, arguments, env=project.environment | environment)


def test_a_run_tells_how_it_ended_and_what_it_cost(project_of: Make, tmp_path: Path) -> None:
    with Sandbox(persons=3, leads=2) as box, listening() as hook, listening() as health:
        project = project_of(box)
        keys = {
            "NOTIFY__WEBHOOK": hook.url + "/abcdefghijkl",
            "NOTIFY__HEALTHCHECK": health.url,
            "NOTIFY__METRICS": str(tmp_path / "pipeduck.prom"),
            "NOTIFY__ON": "success,partial,later,failure",
        }
        for arguments in (["run"], ["reconcile"], ["transform"]):
            assert call(project, *arguments, **keys).exit_code == 0
        box.fault("*/persons", "status", times=None, code=500)
        assert call(project, "run", **keys).exit_code == 3
        assert call(project, "run", SOURCES__PIPEDRIVE__API_TOKEN="f" * 40, **keys).exit_code == 77
    told = [request.json for request in hook.received]
    assert [(entry["command"], entry["outcome"]) for entry in told] == [
        ("run", "success"),
        ("reconcile", "success"),
        ("transform", "success"),
        ("run", "partial"),
        ("run", "failure"),
    ]
    runs = project.rows("select run_id, requests, tokens, error from ops.runs order by run_id")
    known = [(e["run_id"], e["requests"], e["tokens"], e["error"]) for e in told]
    assert sorted(
        (run, requests or 0, tokens or 0, error) for run, requests, tokens, error in runs
    ) == (sorted(known))
    assert told[0]["budget"]["limit"] == 1_800_000
    assert told[0]["live_rows"]["persons"] == 3
    assert [path for _, path in health.paths()] == [
        *("/start", "/", "/start", "/", "/start", "/"),
        *("/start", "/fail", "/fail"),  # the last one had not begun
    ]
    assert "pipeduck_last_run_exit_code 77" in (tmp_path / "pipeduck.prom").read_text()


def test_a_run_that_has_to_wait_for_another_is_told_as_later(project_of: Make) -> None:
    from warehouse.lock import hold

    with Sandbox(persons=1) as box, listening() as hook:
        project = project_of(box)
        keys = {"NOTIFY__WEBHOOK": hook.url, "NOTIFY__ON": "later"}
        with hold(project.folder / "warehouse.duckdb", "run"):
            assert call(project, "run", **keys).exit_code == 75
    assert [request.json["outcome"] for request in hook.received] == ["later"]


def test_every_line_of_a_run_has_the_id_that_the_ledger_gave_it(project_of: Make) -> None:
    with Sandbox(persons=3) as box:
        project = project_of(box)
        box.fault("*/persons", "status", times=None, code=500)
        result = call(project, "run", "--log-format", "json")
    assert result.exit_code == 3
    entries = [json.loads(line) for line in result.stderr.splitlines()]
    assert {entry.get("run_id") for entry in entries} == {
        project.value("select run_id from ops.runs")
    }
    lists = {entry["entity"]: entry for entry in entries if entry["event"] == "list"}
    assert lists["organizations"]["rows_new"] > 0
    assert lists["persons"]["error"]
    assert entries[-1]["event"] == "error"
    assert [e["event"] for e in entries if e["event"] in ("publish", "run")] == ["publish", "run"]


def test_the_ledger_has_the_day_and_the_cost_of_a_run_that_failed(project_of: Make) -> None:
    with Sandbox(persons=3, daily_tokens=1000) as box:
        project = project_of(box)
        project.run()
        call(project, "run", SOURCES__PIPEDRIVE__API_TOKEN="f" * 40)
    first, failed = project.rows(
        "select requests, tokens, daily_limit, daily_remaining from ops.runs order by started_time"
    )
    assert first == (17, box.tokens_spent, 1000, 1000 - box.tokens_spent)
    assert failed[0] > 0
