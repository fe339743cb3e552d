"""The commands as a person types them: output, errors, exit codes, and no token anywhere."""

from __future__ import annotations

import csv
import io
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner, Result
from projects import Project

from pipelines.cli import main
from sources.sandbox import Sandbox

Make = Callable[[Sandbox], Project]
HEAVY = {"dlt", "duckdb", "pandas", "pyarrow", "httpx", "rich", "sqlglot"}


def call(project: Project, *arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, arguments, env=project.environment | environment)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["run", "--help"], ["query", "--help"], ["transforms"]]
)
def test_help_and_version_import_nothing_heavy(arguments: list[str]) -> None:
    script = (
        "import sys, click\n"
        "from pipelines.cli import main\n"
        f"try: main({arguments!r}, prog_name='pipeduck')\n"
        "except SystemExit: pass\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "pipeduck" in done.stdout + done.stderr
    assert done.stderr.splitlines()[-1] == "[]"


def test_every_command_has_help_and_every_option_too() -> None:
    import click

    def check(command: click.Command, path: str) -> None:
        assert command.help, path
        for parameter in command.params:
            if isinstance(parameter, click.Option) and parameter.name != "help":
                assert parameter.help, f"{path} {parameter.opts}"
        if isinstance(command, click.Group):
            for name, sub in command.commands.items():
                check(sub, f"{path} {name}")

    check(main, "pipeduck")


def test_run_query_status_and_transform_on_one_account(project_of: Make, tmp_path: Path) -> None:
    with Sandbox(persons=12, organizations=4, leads=6, archived_leads=3) as box:
        project = project_of(box)
        report = tmp_path / "report.json"
        ran = call(project, "run", "--report", str(report))
        assert ran.exit_code == 0, ran.output
        assert ran.stdout == ""
        assert "persons" in ran.stderr
        account = json.loads(report.read_text())
        assert {e["entity"] for e in account["entities"]} >= {"persons", "leads", "archived_leads"}
        assert account["tokens"] == sum(r.cost for r in box.requests)

    sql = "select id, name, cf_yearly_budget from persons order by id"
    as_csv = call(project, "query", sql, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(as_csv.stdout)))
    assert [int(row["id"]) for row in rows] == list(range(1, 13))
    assert as_csv.stderr.strip() == "12 rows"
    as_lines = call(project, "query", sql, "-f", "jsonl")
    assert len(as_lines.stdout.splitlines()) == 12
    file = tmp_path / "out.json"
    assert call(project, "query", sql, "-f", "json", "-o", str(file)).stdout == ""
    assert len(json.loads(file.read_text())) == 12
    assert "decimal(18,4)" in call(project, "query", sql).stdout

    status = json.loads(call(project, "status", "--json").stdout)
    assert status["dialect"] == "v2"
    assert status["is_admin"] is True
    assert {e["entity"]: e["rows"] for e in status["entities"]}["leads"] == 9
    shown = call(project, "status").stdout
    assert "admin" in shown
    assert "persons" in shown

    before = call(project, "query", "from persons order by id", "-f", "jsonl").stdout
    rebuilt = call(project, "transform", "--full")
    assert rebuilt.exit_code == 0
    assert call(project, "query", "from persons order by id", "-f", "jsonl").stdout == before
    generated = call(project, "transforms", "show", "persons").stdout
    assert "from_json" in generated
    assert '"cf_yearly_budget"' in generated


def test_one_resource_is_loaded_alone(project_of: Make) -> None:
    with Sandbox(persons=3, organizations=3, leads=3) as box:
        project = project_of(box)
        assert call(project, "run", "--resource", "persons").exit_code == 0
        assert project.value("select count(*) from persons", published=True) == 3
        assert project.value("select count(*) from leads", published=True) == 0


@pytest.mark.parametrize("place", ["before", "after"])
def test_another_file_is_chosen_before_or_after_the_command(
    project_of: Make, tmp_path: Path, place: str
) -> None:
    file = tmp_path / "other.toml"
    with Sandbox(persons=2) as box:
        file.write_text(
            f'[sources.pipedrive]\nbase_url = "{box.url}"\nresources = ["persons"]\n'
            '[warehouse]\npath = "w.duckdb"\npublish = "p.duckdb"\n'
        )
        flag = ["--config", str(file)]
        arguments = [*flag, "run"] if place == "before" else ["run", *flag]
        env = {"SOURCES__PIPEDRIVE__API_TOKEN": box.token}
        result = CliRunner().invoke(main, arguments, env=env)
        assert result.exit_code == 0, result.output
        assert (tmp_path / "p.duckdb").is_file()


def test_no_token_says_how_to_get_one(project_of: Make) -> None:
    with Sandbox(persons=1) as box:
        result = call(project_of(box), "run", SOURCES__PIPEDRIVE__API_TOKEN="")
        assert result.exit_code == 77
        assert "No Pipedrive API token is configured." in result.stderr
        assert "Personal preferences > API" in result.stderr
        assert box.requests == []


def test_a_wrong_token_is_told_and_noted(project_of: Make) -> None:
    with Sandbox(persons=1) as box:
        project = project_of(box)
        result = call(project, "run", SOURCES__PIPEDRIVE__API_TOKEN="f" * 40)
        assert result.exit_code == 77
        assert "does not accept the token" in result.stderr
        assert "Traceback" not in result.stderr
        assert project.rows("select outcome, exit_code from ops.runs") == [("failed", 77)]
        assert "failed" in call(project, "status").stdout


def test_an_unknown_key_is_refused_with_the_nearest(project_of: Make) -> None:
    with Sandbox(persons=1) as box:
        result = call(project_of(box), "run", SOURCES__PIPEDRIVE__PAGE_SIZ="3")
        assert result.exit_code == 2
        assert "Did you mean sources.pipedrive.page_size?" in result.stderr


def test_a_host_that_refuses_is_told(project_of: Make) -> None:
    with socket.socket() as free, Sandbox(persons=1) as box:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        result = call(project_of(box), "run", SOURCES__PIPEDRIVE__BASE_URL=url)
        assert result.exit_code == 75
        assert "cannot be reached" in result.stderr


def test_an_html_answer_fails_the_entity_and_leaves_the_others(project_of: Make) -> None:
    with Sandbox(persons=3, organizations=3, leads=3) as box:
        box.fault("*/organizations", "html", times=None)
        project = project_of(box)
        result = call(project, "run")
        assert result.exit_code == 3
        assert "organizations could not be read" in result.stderr
        assert "text/html" in result.stderr
        assert project.value("select count(*) from persons", published=True) == 3
        box.clear_faults()
        box.fault("*", "html", times=None)
        assert call(project, "run").exit_code == 75


def test_a_page_with_data_null_is_an_empty_one(project_of: Make) -> None:
    with Sandbox(persons=3, organizations=3) as box:
        box.fault("*/organizations", "data_null", times=2)  # the first one is asked for again
        project = project_of(box)
        assert call(project, "run").exit_code == 0
        assert project.value("select count(*) from organizations", published=True) == 0


def test_a_collection_without_admin_rights_is_not_allowed(project_of: Make) -> None:
    with Sandbox(persons=3, leads=3, admin=False) as box:
        project = project_of(box)
        result = call(project, "run", SOURCES__PIPEDRIVE__API="collection")
        assert result.exit_code == 3
        assert "admin" in result.stderr
        only = ("run", "--resource", "persons")
        assert call(project, *only, SOURCES__PIPEDRIVE__API="collection").exit_code == 77


def test_a_spent_budget_ends_with_75_and_keeps_what_was_loaded(project_of: Make) -> None:
    with Sandbox(persons=30, organizations=5, leads=5) as box:
        box.fault("*/persons", "daily_429", times=None, after=1)
        project = project_of(box)
        environment = {
            "SOURCES__PIPEDRIVE__PAGE_SIZE": "10",
            "SOURCES__PIPEDRIVE__DAILY_RESERVE": "0",
        }
        result = call(project, "run", **environment)
        assert result.exit_code == 75
        assert project.value("select count(*) from persons", published=True) == 10
        assert len([r for r in box.requests if r.status == 429]) == 1


def test_an_html_403_stops_the_run_at_once(project_of: Make) -> None:
    with Sandbox(persons=30, organizations=5, leads=5) as box:
        box.fault("*/dealFields", "cloudflare_403", times=None)
        result = call(project_of(box), "run", SOURCES__PIPEDRIVE__CONCURRENCY="1")
        assert result.exit_code == 75
        assert "shut us out" in result.stderr
        assert len(box.requests) == 2


def test_a_publish_that_failed_is_made_up_for(project_of: Make, tmp_path: Path) -> None:
    with Sandbox(persons=3) as box:
        project = project_of(box)
        assert call(project, "run").exit_code == 0
        box.account.edit("person", 1, name="Changed")
        blocked = tmp_path / "file"
        blocked.write_text("x")
        broken = call(project, "run", WAREHOUSE__PUBLISH=str(blocked / "p.duckdb"))
        assert broken.exit_code == 2
        assert call(project, "run").exit_code == 0
        assert project.value("select name from persons where id = 1", published=True) == "Changed"
        sql = "select outcome from sync_runs order by started_time"
        outcomes = project.rows(sql, published=True)
        assert outcomes == [("ok",), ("failed",), ("ok",)]


def test_a_token_of_another_company_is_refused(project_of: Make) -> None:
    with Sandbox(persons=3) as box:
        project = project_of(box)
        assert call(project, "run").exit_code == 0
        with duckdb.connect(project.environment["WAREHOUSE__PATH"]) as connection:
            connection.execute("update ops.runs set company_id = 1")
        result = call(project, "run")
        assert result.exit_code == 2
        assert "holds company 1" in result.stderr


def test_a_clock_that_went_back_is_told(project_of: Make) -> None:
    with Sandbox(persons=3) as box:
        project = project_of(box)
        assert call(project, "run").exit_code == 0
        with duckdb.connect(project.environment["WAREHOUSE__PATH"]) as connection:
            connection.execute("update raw._dlt_loads set load_id = '1893456000.0'")
        result = call(project, "run")
        assert result.exit_code == 75
        assert "2030-01-01" in result.stderr


def test_a_token_that_the_server_repeats_is_taken_out(project_of: Make) -> None:
    with Sandbox(persons=3) as box:
        box.fault("*/persons", "status", times=None, code=400)
        project = project_of(box)
        answer = f'{{"success": false, "error": "bad token {box.token}"}}'
        with patched_answer(box, "/api/v2/persons", answer):
            result = call(project, "run")
        assert result.exit_code == 3
        assert box.token not in result.output
        assert "bad token ***" in result.stderr
        for file in project.folder.rglob("*"):
            assert not file.is_file() or box.token.encode() not in file.read_bytes()


@contextmanager
def patched_answer(box: Sandbox, path: str, body: str) -> Iterator[None]:
    """The sandbox with one path answering `body`."""
    answer = box.answer

    def patched(method: str, target: str, *rest: Any) -> Any:
        found = answer(method, target, *rest)
        if target.startswith(path):
            found.status, found.body = 200, body.encode()
        return found

    box.answer = patched  # type: ignore[method-assign] # no fault kind has a text of its own
    try:
        yield
    finally:
        box.answer = answer  # type: ignore[method-assign]


def test_a_working_file_open_elsewhere_is_told(project_of: Make) -> None:
    with Sandbox(persons=3) as box:
        project = project_of(box)
        file = project.environment["WAREHOUSE__PATH"]
        script = f"import duckdb; c = duckdb.connect({file!r}); print('open', flush=True); input()"
        with subprocess.Popen(
            [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as holder:
            assert holder.stdout
            assert holder.stdout.readline() == "open\n"
            result = call(project, "run")
            holder.communicate("\n")
        assert result.exit_code == 75
        assert f"pid {holder.pid}" in result.stderr
        assert call(project, "run").exit_code == 0


def test_paths_that_cannot_be_used_are_told_and_lose_nothing(
    project_of: Make, tmp_path: Path
) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("mine " * 5000)
    with Sandbox(persons=1) as box:
        project = project_of(box)
        result = call(project, "run", WAREHOUSE__PATH=str(notes))
        assert result.exit_code == 2
        assert "not a DuckDB file" in result.stderr
        assert notes.read_text() == "mine " * 5000
        result = call(project, "run", WAREHOUSE__PUBLISH=str(notes / "p.duckdb"))
        assert result.exit_code == 2
        assert "cannot be written" in result.stderr
        assert call(project, "run").exit_code == 0


@pytest.mark.parametrize(
    "arguments", [["transform"], ["transforms", "show", "leads"], ["status"], ["query", "select 1"]]
)
def test_before_the_first_run_every_command_says_what_to_do(
    project_of: Make, arguments: list[str]
) -> None:
    with Sandbox(persons=1) as box:
        project = project_of(box)
        result = call(project, *arguments)
        assert result.exit_code == 2
        assert "pipeduck run" in result.stderr
        assert list(project.folder.iterdir()) == []


def test_bad_sql_is_told_in_one_place_without_a_traceback(project_of: Make) -> None:
    with Sandbox(persons=1) as box:
        project = project_of(box)
        assert call(project, "query", "select 1").exit_code == 2  # nothing published yet
        call(project, "run")
        result = call(project, "query", "selec 1")
        assert result.exit_code == 2
        assert "syntax error" in result.stderr
        assert "Traceback" not in result.stderr
        assert "Traceback" in call(project, "--debug", "query", "selec 1").stderr


def test_the_token_is_in_no_file_no_output_and_no_database(
    project_of: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox(persons=5, organizations=3, leads=3) as box:
        project = project_of(box)
        monkeypatch.chdir(project.folder)
        outputs = [call(project, "run"), call(project, "--debug", "run")]
        box.fault("*/persons", "status", times=None, code=500)
        outputs += [call(project, "run"), call(project, "status"), call(project, "--debug", "run")]
        box.fault("*", "reset", times=None)
        outputs.append(call(project, "--debug", "run"))
        token = box.token.encode()
        for output in outputs:
            assert box.token not in output.output
        files = [file for file in project.folder.rglob("*") if file.is_file()]
        assert len(files) > 5
        for file in files:
            assert token not in file.read_bytes(), file
        for request in box.requests:
            assert box.token not in str(request)


def test_the_demo_runs_and_its_files_can_be_queried(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    result = CliRunner().invoke(main, ["demo", "--folder", str(folder)])
    assert result.exit_code == 0, result.output
    assert "cf_yearly_budget" in result.stdout
    assert "archived" in result.stdout
    config = ["--config", str(folder / "config.toml")]
    counted = CliRunner().invoke(
        main, [*config, "query", "-f", "csv", "select count(*) n from leads"]
    )
    assert counted.stdout.splitlines() == ["n", "551"]
    assert CliRunner().invoke(main, ["demo", "--folder", str(folder)]).exit_code == 0
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    refused = CliRunner().invoke(main, ["demo", "--folder", str(tmp_path / "mine")])
    assert refused.exit_code == 2
    assert (tmp_path / "mine" / "thesis.txt").exists()
