"""`--dry-run`: the plan is what the run then does, and making it writes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from projects import Project

from pipelines.cli import main
from sources.sandbox import Sandbox

Make = Callable[[Sandbox], Project]


def call(project: Project, *arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, arguments, env=project.environment | environment)


def planned(project: Project, *arguments: str, **environment: str) -> dict[str, Any]:
    result = call(project, *arguments, "--dry-run", "--json", **environment)
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def modes(plan: dict[str, Any]) -> dict[str, str]:
    return {
        entry["name"]: entry["mode"]
        for entry in plan["lists"]
        if entry["mode"] not in ("not due", "users/me", "recents")
    }


def contents(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def test_the_plan_of_a_first_load_asks_who_asks_and_makes_no_file(project_of: Make) -> None:
    with Sandbox(persons=3) as box:
        project = project_of(box)
        plan = planned(project, "run")
        assert [request.path for request in box.requests] == ["/v1/users/me"]
        assert contents(project.folder) == {}
        assert modes(plan)["persons"] == "first"
        assert plan["is_minimum"]
        assert plan["daily_limit"] == 1_800_000
        assert plan["share_of_day"] == plan["tokens"] / 1_800_000
        text = call(project, "run", "--dry-run").stdout
        assert "at least 17 requests" in text
        assert "sizes are unknown" in text


def test_the_plan_names_the_modes_and_the_cost_that_the_run_then_has(project_of: Make) -> None:
    keys = {"SOURCES__PIPEDRIVE__PAGE_SIZE": "10", "SOURCES__PIPEDRIVE__FULL_LISTING_PAGES": "1"}
    with Sandbox(persons=35, organizations=8, leads=25, archived_leads=12, deals=11) as box:
        project = project_of(box)
        for arguments in (["run"], ["run"], ["reconcile"], ["run", "--resource", "persons"]):
            before = contents(project.folder)
            plan = planned(project, *arguments, **keys)
            assert contents(project.folder) == before
            spent = len(box.requests)
            assert call(project, *arguments, **keys).exit_code == 0
            ran = dict(
                project.rows(
                    "select entity, mode from ops.steps where step = 'read' "
                    "and run_id = (select arg_max(run_id, started_time) from ops.runs)"
                )
            )
            assert modes(plan) == ran
            requests = len(box.requests) - spent
            tokens = sum(request.cost for request in box.requests[spent:])
            assert plan["requests"] <= requests
            assert plan["tokens"] <= tokens
            if not plan["is_minimum"]:
                assert (plan["requests"], plan["tokens"]) == (requests, tokens)
        assert plan["command"] == "run"


def test_the_size_of_a_list_that_is_read_whole_is_known(project_of: Make) -> None:
    keys = {"SOURCES__PIPEDRIVE__PAGE_SIZE": "10"}
    with Sandbox(persons=35, organizations=8, leads=25, archived_leads=12) as box:
        project = project_of(box)
        assert call(project, "run", **keys).exit_code == 0
        asked = len(box.requests)
        plan = {e["name"]: e for e in planned(project, "reconcile", **keys)["lists"]}
        assert call(project, "reconcile", **keys).exit_code == 0
        for name in ("persons", "organizations", "leads", "archived_leads"):
            path = f"/{'leads/archived' if name == 'archived_leads' else name}"
            requests = sum(r.path.endswith(path) for r in box.requests[asked:])
            assert plan[name]["requests"] == requests, name
            assert not plan[name]["is_minimum"]


def test_a_list_that_is_not_due_costs_nothing_and_is_told(project_of: Make) -> None:
    with Sandbox(persons=3) as box:
        project = project_of(box)
        assert call(project, "run").exit_code == 0
        plan = {entry["name"]: entry for entry in planned(project, "run")["lists"]}
        assert plan["users"]["mode"] == "not due"
        assert (plan["users"]["requests"], plan["users"]["rows_known"]) == (0, 4)


def test_a_plan_ends_as_the_run_would_before_it_reads(project_of: Make) -> None:
    with Sandbox(persons=3) as box:
        project = project_of(box)
        refused = call(project, "run", "--dry-run", SOURCES__PIPEDRIVE__API_TOKEN="f" * 40)
        assert refused.exit_code == 77
        assert refused.stdout == ""
