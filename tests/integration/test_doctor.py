"""`pipeduck doctor`: each thing that can be wrong is one sentence, and an exit code; no writes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner, Result
from projects import Project

from pipelines.cli import main
from sources.sandbox import Sandbox

Make = Callable[[Sandbox], Project]


def sandbox(**options: Any) -> Sandbox:
    """One whose clock is right, or the doctor would say so."""
    start = options.pop("start", datetime.now(UTC))
    sizes = {"persons": 4, "organizations": 2, "leads": 3}
    return Sandbox(start=f"{start:%Y-%m-%dT%H:%M:%SZ}", **(sizes | options))


def call(project: Project, *arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, ["doctor", *arguments], env=project.environment | environment)


def wrong(result: Result) -> list[tuple[str, str, str]]:
    """What is not ok: check, level, text."""
    found = json.loads(result.stdout)["findings"]
    return [(f["check"], f["level"], f["text"]) for f in found if f["level"] != "ok"]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def test_all_is_well_before_the_first_run_and_after_it_and_nothing_is_written(
    project_of: Make,
) -> None:
    with sandbox() as box:
        project = project_of(box)
        first = call(project, "--json")
        assert (first.exit_code, wrong(first)) == (0, []), first.output
        assert contents(project.folder) == {}
        project.run()
        before = contents(project.folder)
        spent, cost = len(box.requests), box.tokens_spent
        second = call(project, "--json")
        assert (second.exit_code, wrong(second)) == (0, []), second.output
        assert contents(project.folder) == before
        report = json.loads(second.stdout)
        assert report["requests"] == len(box.requests) - spent
        assert report["tokens"] == box.tokens_spent - cost
        assert f"about {report['tokens'] - 2} tokens" in second.stderr
        assert all(r.params.get("limit", "1") == "1" for r in box.requests[spent:-1])
        lines = call(project).stdout.splitlines()
        assert all(line.startswith("ok ") for line in lines)
        assert {line.split("  ")[0].strip() for line in lines} == {"ok"}
        assert box.token not in second.output


def test_a_configuration_that_is_wrong_is_told_whole_and_nobody_is_asked(project_of: Make) -> None:
    with sandbox() as box:
        keys = {"SOURCES__PIPEDRIVE__PAGE_SIZ": "1", "WAREHOUSE__MEMORY_LIMIT": "much"}
        result = call(project_of(box), "--json", **keys)
        assert result.exit_code == 2
        assert len(wrong(result)) == 2
        assert box.requests == []


@pytest.mark.parametrize(
    ("token", "text"), [("", "No Pipedrive API token"), ("f" * 40, "does not accept the")]
)
def test_a_token_that_is_missing_or_wrong_is_77(project_of: Make, token: str, text: str) -> None:
    with sandbox() as box:
        result = call(project_of(box), "--json", SOURCES__PIPEDRIVE__API_TOKEN=token)
        assert result.exit_code == 77
        ((check, level, told),) = wrong(result)
        assert (check, level) == ("token", "problem")
        assert text in told


def test_a_host_that_cannot_be_reached_is_75(project_of: Make) -> None:
    with sandbox() as box:
        project = project_of(box)
        box.close()
        result = call(project, "--json")
        assert result.exit_code == 75
        assert "cannot be reached" in wrong(result)[0][2]


def test_a_user_who_is_no_admin_is_warned_of_what_that_means(project_of: Make) -> None:
    with sandbox(admin=False) as box:
        result = call(project_of(box), "--json")
        assert result.exit_code == 0
        assert "what this user may not see is not loaded" in wrong(result)[0][2]


def test_another_company_than_the_one_that_is_loaded_is_2(project_of: Make) -> None:
    with sandbox() as box:
        project = project_of(box)
        project.run()
        with duckdb.connect(str(project.folder / "warehouse.duckdb")) as connection:
            connection.execute("update ops.runs set company_id = 1")
        result = call(project, "--json")
        assert result.exit_code == 2
        assert wrong(result)[0][0] == "company"


def test_a_dialect_that_is_gone_is_no_problem_while_the_other_is_there(project_of: Make) -> None:
    with sandbox(collection=False) as box:
        assert call(project_of(box), "--json").exit_code == 0
    with sandbox(v2=False) as box:
        result = call(project_of(box), "--json")
        assert result.exit_code == 0, result.output
        assert {check for check, _, _ in wrong(result)} == {"endpoints"}
        assert all("A run does without it." in text for _, _, text in wrong(result))
    with sandbox(v2=False, collection=False) as box:
        result = call(project_of(box), "--json")
        assert result.exit_code == 3
        problems = [text for _, level, text in wrong(result) if level == "problem"]
        assert len(problems) == 2
        assert problems[0].startswith("persons: ")


def test_one_endpoint_that_fails_does_not_hide_the_others(project_of: Make) -> None:
    with sandbox() as box:
        box.fault("*/leads", "status", times=None, code=403)
        box.fault("*/users", "status", times=None, code=500)
        result = call(project_of(box), "--json")
        problems = [text for _, level, text in wrong(result) if level == "problem"]
        assert len(problems) == 2
        assert result.exit_code == 77
        assert "served: deal_fields" in result.stdout


def test_a_budget_down_to_the_reserve_is_75(project_of: Make) -> None:
    with sandbox(daily_tokens=1_000) as box:
        result = call(project_of(box), "--json", SOURCES__PIPEDRIVE__DAILY_RESERVE="0.9")
        assert result.exit_code == 75
        assert "are reserved for others" in wrong(result)[0][2]
    with sandbox(rate_limit_headers=False) as box:
        assert call(project_of(box), "--json").exit_code == 0


def test_more_readers_than_the_burst_window_allows_are_warned_of(project_of: Make) -> None:
    with sandbox(burst_limit=3) as box:
        ((check, level, text),) = wrong(call(project_of(box), "--json"))
        assert (check, level) == ("pace", "warning")
        assert "allow 3 requests, and concurrency is 4" in text
    with sandbox() as box:
        assert "two seconds allow 80 requests" in call(project_of(box)).stdout


@pytest.mark.parametrize(("hours", "side"), [(-1, "ahead of"), (1, "behind")])
def test_a_clock_that_is_wrong_is_warned_of(project_of: Make, hours: int, side: str) -> None:
    with sandbox(start=datetime.now(UTC) + timedelta(hours=hours)) as box:
        result = call(project_of(box), "--json")
        assert result.exit_code == 0
        ((check, level, text),) = wrong(result)
        assert (check, level) == ("clock", "warning")
        assert f"seconds {side} Pipedrive's" in text


@contextmanager
def holding(file: Path) -> Iterator[int]:
    """Another process that has `file` open for writing."""
    script = f"import duckdb; c = duckdb.connect({str(file)!r}); print('open', flush=True); input()"
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    try:
        yield process.pid
    finally:
        process.communicate("\n", timeout=30)


def test_who_holds_the_working_file_is_told(project_of: Make) -> None:
    with sandbox() as box:
        project = project_of(box)
        project.run()
        with holding(project.folder / "warehouse.duckdb") as pid:
            result = call(project, "--json")
        assert result.exit_code == 75
        check, level, text = wrong(result)[0]
        assert (check, level) == ("working file", "problem")
        assert str(pid) in text


def test_a_run_that_is_going_on_is_told_with_its_process(project_of: Make) -> None:
    from warehouse.lock import hold

    with sandbox() as box:
        project = project_of(box)
        with hold(project.folder / "warehouse.duckdb", "reconcile"):
            result = call(project, "--json")
        assert result.exit_code == 75
        assert "runs `pipeduck reconcile` since" in wrong(result)[0][2]


def test_files_that_others_can_read_are_warned_of(project_of: Make) -> None:
    with sandbox() as box:
        project = project_of(box)
        project.run()
        (project.folder / "warehouse.duckdb").chmod(0o644)
        (project.folder / "pipedrive.duckdb").chmod(0o644)
        result = call(project, "--json")
        assert result.exit_code == 0
        assert [check for check, _, _ in wrong(result)] == ["rights", "rights"]


def test_a_published_file_that_is_none_is_2(project_of: Make) -> None:
    with sandbox() as box:
        project = project_of(box)
        project.run()
        (project.folder / "pipedrive.duckdb").write_text("not a database")
        result = call(project, "--json")
        assert result.exit_code == 2
        assert wrong(result)[0][0] == "published file"


def test_runs_that_failed_in_a_row_are_counted(project_of: Make) -> None:
    with sandbox() as box:
        project = project_of(box)
        project.run()
        box.fault("*/persons", "status", times=None, code=500)
        project.run()
        project.run()
        box.clear_faults()
        ((check, level, text),) = wrong(call(project, "--json"))
        assert (check, level) == ("last runs", "warning")
        assert "the last 2 runs did not end well: partial, persons could not be read" in text


def test_a_check_that_breaks_is_a_finding_and_the_others_are_made(
    project_of: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the sky is falling")

    monkeypatch.setattr("pipelines.doctor_files.shutil.disk_usage", fail)
    with sandbox() as box:
        result = call(project_of(box), "--json")
        assert result.exit_code == 1
        ((check, _, text),) = wrong(result)
        assert check == "room"
        assert "the check itself failed: RuntimeError: the sky is falling" in text


def test_a_library_that_does_not_fit_is_warned_of(
    project_of: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.doctor.requires", lambda _: ["sqlglot<29", "no-such-thing>1"])
    with sandbox() as box:
        found = wrong(call(project_of(box), "--json"))
        assert [level for _, level, _ in found] == ["warning", "problem"]
        assert "pip install 'sqlglot<29'" in found[0][2]
