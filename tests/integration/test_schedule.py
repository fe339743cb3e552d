"""The scheduler as a process: signals, one at a time, what it says of itself."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from projects import Project

from pipelines.cli import main
from pipelines.errors import SchedulerRunning
from pipelines.schedule.note import alone, find_schedule, schedule_lock, schedule_note
from pipelines.schedule.process import Processes
from sources.sandbox import Sandbox

_SCHEDULED = Path(__file__).parents[1] / "support" / "scheduled.py"
_KEYS = {"page_size": "5", "package_rows": "1000", "concurrency": "1"}
START = datetime(2026, 6, 1, 10, 0, tzinfo=UTC)


def test_sigterm_in_the_middle_of_a_load_ends_it_within_the_package_and_nothing_is_lost(
    project_of: Callable[..., Project], tmp_path: Path
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    loops: list[subprocess.Popen[str]] = []

    def stop() -> None:
        heard = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)  # answers once the run knows
        loops[0].terminate()
        select.select([heard], [], [], 60)
        os.close(heard)

    with Sandbox(persons=40, organizations=5, leads=6) as box:
        project = project_of(box)
        keys = {f"SOURCES__PIPEDRIVE__{name.upper()}": value for name, value in _KEYS.items()}
        box.fault("*/persons", "hook", after=4, call=stop)
        loops.append(
            subprocess.Popen(
                [sys.executable, str(_SCHEDULED), "loop", str(fifo)],
                env=os.environ | project.environment | keys,
                cwd=project.folder,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        _, said = loops[0].communicate(timeout=120)
        assert loops[0].returncode == 0, said
        assert "The scheduler was stopped." in said
        assert "The run was stopped." in said
        ((code, outcome),) = project.rows("select exit_code, outcome from ops.runs")
        assert (code, outcome) == (75, "partial")
        loaded = project.value("select count(*) from raw.persons")
        assert 20 <= loaded < 40
        assert project.value("select count(*) from persons", published=True) == loaded
        assert not schedule_note(project.folder / "warehouse.duckdb").exists()
        before = len(box.requests)
        assert project.run(**_KEYS).exit_code == 0
        persons = [r for r in box.requests[before:] if r.path.endswith("/persons")]
        assert len(persons) <= 5, "it went on, and did not begin again"
        assert project.value("select count(*) from persons", published=True) == 40


def test_a_second_signal_kills_a_run_that_does_not_end() -> None:
    stubborn = "trap '' TERM INT; kill -TERM $PPID; kill -INT $PPID; exec sleep 60"
    world = Processes(["sh", "-c", stubborn])
    with world.listening():
        assert world.run() == 1
        assert world.is_stopping
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_wait_ends_with_the_first_signal() -> None:
    world = Processes([])
    with world.listening():
        os.kill(os.getpid(), signal.SIGTERM)
        world.wait(datetime.now(UTC) + timedelta(days=1))
        assert world.is_stopping


def test_a_run_starts_anew_each_time_with_what_is_configured_by_then() -> None:
    world = Processes(["sh", "-c", "exit 75"])
    with world.listening():
        assert world.run() == 75
        world.command = ["sh", "-c", "kill -KILL $$"]
        assert world.run() == 1


def test_one_working_file_has_one_scheduler_and_status_shows_it(
    project_of: Callable[..., Project],
) -> None:
    with Sandbox(persons=3) as box:
        project = project_of(box)
        assert project.run().exit_code == 0
    file = project.folder / "warehouse.duckdb"

    def status(*words: str) -> tuple[int, str]:
        found = CliRunner().invoke(main, [*words], env=project.environment)
        return found.exit_code, found.stdout

    assert status("schedule", "status") == (1, "no scheduler is running\n")
    assert "schedule " not in status("status")[1]
    with alone(file, "every 15m", START) as note:
        with pytest.raises(SchedulerRunning, match=f"every 15m, pid {os.getpid()}") as caught:
            alone(file, "every 1h", START).__enter__()
        assert caught.value.exit_code == 75
        note.runs(START)
        assert "a run is going on since 2026-06-01 10:00:00Z, none before" in status("status")[1]
        note.ran(START, 75)
        note.waits(START + timedelta(minutes=15))
        code, text = status("schedule", "status")
        assert code == 0
        assert "every 15m, next run at 2026-06-01 10:15:00Z, the last one ended" in text
        assert "with exit code 75" in text
        told = json.loads(status("status", "--json")[1])["schedule"]
        assert (told["runs"], told["last_exit_code"], told["is_alive"]) == (1, 75, True)
        note.ran(START, 4)
        note.waits(START)
        assert status("schedule", "status")[0] == 1, "a health check hears of a refusal"
        kept = schedule_note(file).read_text()
        assert schedule_note(file).stat().st_mode & 0o777 == 0o600
        assert schedule_lock(file).stat().st_mode & 0o777 == 0o600
    assert find_schedule(file) is None
    schedule_note(file).write_text(kept)  # as a killed one leaves it
    code, text = status("schedule", "status", "--json")
    assert code == 1
    assert json.loads(text)["is_alive"] is False
    assert "is gone without a word" in status("status")[1]


@pytest.mark.parametrize("words", [["schedule", "run"], ["run"]])
def test_both_spellings_are_one_scheduler(
    words: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen = {}

    def pretend(settings: object, log: object, command: list[str], **schedule: object) -> int:
        seen.update(schedule, command=list(command[1:]))
        return 77

    monkeypatch.setattr("pipelines.schedule.process.run_schedule", pretend)
    monkeypatch.chdir(tmp_path)
    options = ["--cron", "0 6 * * *", "--timezone", "Europe/Berlin", "--jitter", "2m"]
    result = CliRunner().invoke(main, ["--log-format", "json", "-q", *words, *options])
    assert result.exit_code == 77, result.output
    assert seen["command"] == ["--log-format", "json", "--quiet", "run"]
    assert (seen["cron"], seen["timezone"]) == ("0 6 * * *", "Europe/Berlin")
    assert (seen["every"], seen["jitter"]) == (None, "2m")


def test_a_scheduled_run_keeps_its_options_and_refuses_those_of_a_single_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    commands: list[list[str]] = []

    def pretend(settings: object, log: object, command: list[str], **schedule: object) -> int:
        commands.append(list(command[1:]))
        return 0

    monkeypatch.setattr("pipelines.schedule.process.run_schedule", pretend)
    monkeypatch.chdir(tmp_path)
    call = ["run", "--every", "1h", "--resource", "leads", "--report", "r.json"]
    assert CliRunner().invoke(main, call).exit_code == 0
    assert commands[0][-5:] == ["run", "--resource", "leads", "--report", "r.json"]
    for option in ("--full-refresh", "--dry-run"):
        assert CliRunner().invoke(main, ["run", "--every", "1h", option]).exit_code == 2
