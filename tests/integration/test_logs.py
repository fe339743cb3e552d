"""`--log-format json`: each line on stderr is an object; text stays what it was."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result
from projects import Project

from pipelines.cli import main
from pipelines.logs import Log
from pipelines.narration import Narrator
from sources.sandbox import Sandbox

Make = Callable[[Sandbox], Project]


def call(project: Project, *arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, arguments, env=project.environment | environment)


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_every_line_of_a_run_is_json_with_time_level_event_and_message(project_of: Make) -> None:
    with Sandbox(persons=3) as box:
        box.fault("*/persons", "status", code=500)
        result = call(project_of(box), "run", "--resource", "persons", "--log-format", "json")
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    entries = lines(result.stderr)
    for entry in entries:
        assert entry["message"]
        assert datetime.fromisoformat(entry["time"]).utcoffset() == timedelta()
        assert entry["event"].isidentifier()
    (retry,) = [entry for entry in entries if entry["level"] == "warning"]
    assert "500" in retry["message"]
    assert retry["event"] == "client"


@pytest.mark.parametrize("how", ["before", "after", "variable"])
def test_the_format_is_chosen_before_or_after_the_command_or_by_a_variable(
    project_of: Make, how: str
) -> None:
    with Sandbox(persons=1) as box:
        project = project_of(box)
        flag = ["--log-format", "json"]
        if how == "variable":
            result = call(project, "query", "select 1", PIPEDUCK_LOG_FORMAT="json")
            plain = ["query", "select 1", "--log-format", "text"]
            assert call(project, *plain, PIPEDUCK_LOG_FORMAT="json").stderr.startswith("Error: ")
        elif how == "before":
            result = call(project, *flag, "query", "select 1")
        else:
            result = call(project, "query", "select 1", *flag)
    assert result.exit_code == 2
    (error,) = lines(result.stderr)
    assert (error["level"], error["event"], error["kind"]) == ("error", "error", "NothingPublished")
    assert error["exit_code"] == 2
    assert error["hint"]


def test_an_unexpected_error_is_one_line_too_with_its_traceback_where_asked_for(
    project_of: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the sky is falling")

    monkeypatch.setattr("pipelines.status.read_status", fail)
    with Sandbox(persons=1) as box:
        project = project_of(box)
        (entry,) = lines(call(project, "--log-format", "json", "status").stderr)
        assert entry["message"] == "RuntimeError: the sky is falling"
        assert "traceback" not in entry
        (entry,) = lines(call(project, "--debug", "--log-format", "json", "status").stderr)
        assert "in fail" in entry["traceback"]


def test_lines_carry_the_run_they_belong_to_and_their_fields(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Narrator(Log("json")) as narrator:
        narrator.say("before")
        narrator.begin("20260601T080000Z-abc")
        narrator.say("persons: 12 rows", "list", entity="persons", rows=12)
        logging.getLogger("pipeduck.dialects").warning("taking %s.", "v2")
        logging.getLogger("pipeduck.client").info("not of interest")
    before, said, warned = lines(capsys.readouterr().err)
    assert "run_id" not in before
    assert said["run_id"] == warned["run_id"] == "20260601T080000Z-abc"
    assert (said["event"], said["entity"], said["rows"]) == ("list", "persons", 12)
    assert (warned["event"], warned["message"]) == ("dialects", "taking v2.")


def test_text_is_the_message_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with Narrator() as narrator:
        narrator.begin("20260601T080000Z-abc")
        narrator.say("persons: 12 rows", "list", entity="persons")
        logging.getLogger("pipeduck.client").warning("again in %d s", 2)
    assert capsys.readouterr().err == "persons: 12 rows\nagain in 2 s\n"


def test_lines_of_several_threads_do_not_mix(capsys: pytest.CaptureFixture[str]) -> None:
    log = Log("json")
    text = "line\nwith a break and ünïcode " * 20

    def write() -> None:
        for number in range(50):
            log.write(text, "note", number=number)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    entries = lines(capsys.readouterr().err)
    assert len(entries) == 200
    assert {entry["message"] for entry in entries} == {text}
