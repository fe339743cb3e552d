"""The printed files work as they are: each is read by what it is for, or by what stands for it."""

from __future__ import annotations

import plistlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner
from croniter import croniter

from pipelines.cli import main
from pipelines.config import load_settings
from pipelines.errors import ConfigError
from pipelines.schedule.printing import FORMATS, make_files

Print = Callable[..., dict[str, str]]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project in a folder whose name nobody should have chosen."""
    place = tmp_path / "it's 5% of $HOME"
    (place / "data").mkdir(parents=True)
    (place / "config.toml").write_text('[sources.pipedrive]\ncompany_domain = "acme"\n')
    return place


@pytest.fixture
def pipeduck(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that says how it was called, and ends as the file `code` says."""
    program = folder / "pipeduck"
    program.write_text('#!/bin/sh\necho "$PWD: $* $TOKEN" >&2\nexit $(cat code)\n')
    program.chmod(0o755)
    monkeypatch.setattr("pipelines.schedule.place.find_executable", lambda: str(program))
    return program


@pytest.fixture
def printed(folder: Path) -> Print:
    def make(form: str, **schedule: str) -> dict[str, str]:
        config = folder / "config.toml"
        return dict(make_files(load_settings(config, {}), form, config=config, **schedule))

    return make


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
@pytest.mark.parametrize(
    "schedule",
    [{"every": "15m"}, {"cron": "*/20 6-18 13 1,7 fri", "timezone": "Europe/Berlin"}],
)
def test_systemd_finds_nothing_wrong_with_its_units(
    schedule: dict[str, str], printed: Print, pipeduck: Path, tmp_path: Path
) -> None:
    files = printed("systemd", **schedule)
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    paths = [tmp_path / name for name in files]
    verified = subprocess.run(
        ["systemd-analyze", "verify", *paths], capture_output=True, text=True, check=False
    )
    complaints = [line for line in verified.stderr.splitlines() if "pipeduck" in line]
    assert (verified.returncode, complaints) == (0, [])


def test_the_service_is_hardened_and_a_later_is_no_failure(
    printed: Print, pipeduck: Path, folder: Path
) -> None:
    service = printed("systemd")["pipeduck.service"]
    for line in (
        *("SuccessExitStatus=75", "NoNewPrivileges=yes", "ProtectSystem=strict", "Type=oneshot"),
        f"WorkingDirectory={folder}".replace("%", "%%"),
        f"EnvironmentFile=-{folder}/.env".replace("%", "%%"),
    ):
        assert line in service.splitlines()
    assert f'ReadWritePaths="{folder}/data"'.replace("%", "%%") in service
    timer = printed("systemd", every="2h", jitter="5m")["pipeduck.timer"]
    assert "OnUnitActiveSec=7200s" in timer
    assert "RandomizedDelaySec=300s" in timer


@pytest.mark.parametrize(("code", "mailed"), [(0, False), (75, False), (1, True), (77, True)])
def test_the_line_of_cron_runs_and_mails_only_what_failed(
    code: int, mailed: bool, printed: Print, pipeduck: Path, folder: Path
) -> None:
    (folder / "code").write_text(str(code))
    (folder / ".env").write_text("TOKEN='from the file'\n")
    comment, line = printed("cron", every="15m").pop("pipeduck.cron").splitlines()
    assert comment.startswith("# pipeduck")
    fields, command = line.split(None, 5)[:5], line.split(None, 5)[5]
    assert croniter.is_valid(" ".join(fields))
    assert "%" not in command.replace("\\%", "")
    done = subprocess.run(
        ["/bin/sh", "-c", command.replace("\\%", "%")], cwd="/", capture_output=True, text=True
    )
    log = (folder / "data" / "pipeduck.log").read_text()
    said = f"{folder}: --config {folder}/config.toml run --jitter 1m from the file\n"
    assert log == said
    assert done.stdout == (said if mailed else "")
    assert done.stderr == ""


def test_cron_keeps_an_expression_and_knows_one_time_zone(printed: Print, pipeduck: Path) -> None:
    line = printed("cron", cron="30 6 * * 1-5")["pipeduck.cron"].splitlines()[1]
    assert line.startswith("30 6 * * 1-5 mkdir ")
    for form in ("cron", "launchd"):
        with pytest.raises(ConfigError, match="no time zone but the machine's own"):
            printed(form, cron="30 6 * * 1-5", timezone="Europe/Berlin")


def test_launchd_reads_its_agent(printed: Print, pipeduck: Path, folder: Path) -> None:
    agent = plistlib.loads(printed("launchd", every="1h")["pipeduck.plist"].encode())
    config = str(folder / "config.toml")
    assert agent["StartInterval"] == 3600
    command = [str(pipeduck), "--config", config, "run", "--jitter", "1m"]
    assert agent["ProgramArguments"] == command
    assert agent["WorkingDirectory"] == str(folder)
    agent = plistlib.loads(printed("launchd", cron="0 6,18 * * 1-5")["pipeduck.plist"].encode())
    times = agent["StartCalendarInterval"]
    assert len(times) == 10
    assert {"Minute": 0, "Hour": 18, "Weekday": 5} in times
    with pytest.raises(ConfigError, match="more than 500 entries"):
        printed("launchd", cron="0-58 1-23 * * *")


def test_github_reads_its_workflow(printed: Print, pipeduck: Path) -> None:
    workflow = yaml.safe_load(printed("github", every="15m")["pipeduck.yml"])
    ((entry,),) = [workflow[True]["schedule"]]  # YAML 1.1 takes `on` for a truth
    assert croniter.is_valid(entry["cron"])
    assert workflow["concurrency"] == {"group": "pipeduck", "cancel-in-progress": False}
    steps = workflow["jobs"]["run"]["steps"]
    (run,) = [step for step in steps if "pipeduck run" in step.get("run", "")]
    assert run["env"]["SOURCES__PIPEDRIVE__API_TOKEN"] == "${{ secrets.PIPEDRIVE_API_TOKEN }}"
    caches = [step for step in steps if "cache" in step.get("uses", "")]
    assert {cache["with"]["path"] for cache in caches} == {"data"}
    for schedule, said in (
        ({"every": "2m"}, "every 5 minutes"),
        ({"cron": "0 6 * * *", "timezone": "Europe/Berlin"}, "in UTC"),
    ):
        with pytest.raises(ConfigError, match=said):
            printed("github", **schedule)


@pytest.mark.parametrize(("form", "package"), [("airflow", "airflow"), ("dagster", "dagster")])
@pytest.mark.parametrize("is_imported", [False, True])
def test_airflow_and_dagster_files_are_python(
    form: str, package: str, is_imported: bool, printed: Print, pipeduck: Path
) -> None:
    ((name, text),) = printed(form, cron="0 6 * * *", timezone="Europe/Berlin").items()
    code = compile(text, name, "exec")
    if is_imported:
        pytest.importorskip(package)
        exec(code, {"__name__": "printed"})


def test_the_run_of_airflow_and_dagster_is_one_line_of_sh(
    printed: Print, pipeduck: Path, folder: Path
) -> None:
    (folder / "code").write_text("75")
    for form in ("airflow", "dagster"):
        (text,) = printed(form).values()
        words = [line for line in text.splitlines() if "run --jitter" in line]
        literal = words[0].strip().removeprefix("bash_command=").rstrip(",")
        command = eval(literal)
        command = command[2] if isinstance(command, list) else command
        assert subprocess.run(["/bin/sh", "-c", command], stderr=subprocess.PIPE).returncode == 75


def test_every_format_can_be_printed_saved_and_is_not_saved_twice(
    folder: Path, tmp_path: Path
) -> None:
    config = ["--config", str(folder / "config.toml")]
    for form in FORMATS:
        out = tmp_path / form
        call = [*config, "schedule", "print", form]
        shown = CliRunner().invoke(main, call)
        assert shown.exit_code == 0, shown.output
        assert shown.stderr
        saved = CliRunner().invoke(main, [*call, "-o", str(out)])
        assert [str(path) for path in sorted(out.iterdir())] == sorted(saved.stdout.splitlines())
        for path in out.iterdir():
            assert path.read_text() in shown.stdout
        again = CliRunner().invoke(main, [*call, "-o", str(out)])
        assert again.exit_code == 2
        assert "is there already" in again.stderr


def test_a_token_that_only_this_shell_has_is_told(folder: Path) -> None:
    variable = "SOURCES__PIPEDRIVE__API_TOKEN"
    call = ["--config", str(folder / "config.toml"), "schedule", "print", "cron"]
    said = CliRunner().invoke(main, call, env={variable: "x" * 40})
    assert f"set in this shell only: {variable}" in said.stderr
    assert "x" * 40 not in said.output
    (folder / ".env").write_text(f"{variable}={'x' * 40}\n")
    said = CliRunner().invoke(main, call, env={variable: "x" * 40})
    assert "in this shell only" not in said.stderr
    assert "x" * 40 not in said.output


def test_the_image_runs_commands_that_exist_as_nobody_special() -> None:
    lines = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ").splitlines()
    said = dict(line.split(None, 1) for line in lines if line and not line.startswith("#"))
    assert not said["USER"].startswith(("0", "root"))
    assert yaml.safe_load(said["ENTRYPOINT"]) == ["pipeduck"]
    check = said["HEALTHCHECK"].partition("CMD ")[2]
    for command in (yaml.safe_load(said["CMD"]), yaml.safe_load(check)[1:]):
        group: click.Command = main
        while isinstance(group, click.Group):
            group = group.commands[command.pop(0)]
        group.make_context("pipeduck", command)


def test_the_compose_file_in_the_documentation_is_closed_and_has_one_volume() -> None:
    text = (ROOT / "docs" / "scheduling.md").read_text("utf-8")
    composed = yaml.safe_load(text.partition("```yaml\n")[2].partition("```")[0])
    service = composed["services"]["pipeduck"]
    assert service["read_only"] is True
    assert service["volumes"] == ["pipeduck:/data"]
    assert service["cap_drop"] == ["ALL"]


@pytest.mark.parametrize(
    ("line", "is_plain"),
    [
        ("WAREHOUSE__PATH=data/w.duckdb", True),
        ("A='with spaces and $'", True),
        ("# a remark", True),
        ("KEY=abc$def", False),
        ("KEY=a b", False),
        ("KEY=$(touch x)", False),
        ("export KEY=a", False),
    ],
)
def test_a_file_of_variables_is_one_that_every_scheduler_reads_alike(
    printed: Print, folder: Path, line: str, is_plain: bool
) -> None:
    (folder / ".env").write_text(f"{line}\n", "utf-8")
    if is_plain:
        assert ".env" in printed("cron")["pipeduck.cron"]
    else:
        with pytest.raises(ConfigError, match="Line 1 of"):
            printed("cron")
