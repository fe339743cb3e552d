"""`[notify]`: who is told what of a run, and that telling never fails one."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from listener import listening
from projects import Project

from pipelines.config import Settings, load_settings
from pipelines.connection import open_client
from pipelines.errors import Partial, Refused
from pipelines.narration import Narrator
from pipelines.notify import News, announced
from pipelines.outcome import RunResult
from sources.pipedrive.client import Client
from sources.pipedrive.errors import BudgetSpent
from sources.sandbox import Sandbox

Make = Callable[[Sandbox], Project]
PATH = "/services/T000/B000/abcdefghijklmnop"
TOKEN = "0123456789abcdef0123456789abcdef01234567"


def settings_for(
    folder: Path, *, webhook: str = "", healthcheck: str = "", on: str = "", metrics: str = ""
) -> Settings:
    found = {
        "WAREHOUSE__PATH": str(folder / "warehouse.duckdb"),
        "SOURCES__PIPEDRIVE__API_TOKEN": TOKEN,
        "NOTIFY__WEBHOOK": webhook,
        "NOTIFY__HEALTHCHECK": healthcheck,
        "NOTIFY__METRICS": metrics,
    }
    return load_settings(environment=found | ({"NOTIFY__ON": on} if on else {}))


def end(settings: Settings, error: Exception | None = None, *, timeout: float = 10.0) -> News:
    """A run that ends with `error`: 3, 4 and 75 leave a result, others end the block."""
    with (
        Narrator() as narrator,
        announced(settings, narrator, "run", timeout=timeout) as news,
    ):
        narrator.begin("20260601T080000Z-abc")
        news.company = "acme"
        code = getattr(error, "exit_code", 0)
        if error and code not in (3, 4, 75):
            raise error
        news.end(RunResult("20260601T080000Z-abc", code, error is None, (), 12, 140, error))
    return news


def test_a_webhook_gets_a_sentence_and_the_fields_of_the_run(tmp_path: Path) -> None:
    with listening() as box:
        end(settings_for(tmp_path, webhook=box.url + PATH, on="success"))
    (request,) = box.received
    assert (request.method, request.path) == ("POST", PATH)
    assert request.headers["Content-Type"] == "application/json"
    told = request.json
    assert told["text"] == "pipeduck run of acme is done: 0 rows, 12 requests, 140 tokens, 0 s."
    expected = {
        "command": "run",
        "run_id": "20260601T080000Z-abc",
        "company": "acme",
        "outcome": "success",
        "exit_code": 0,
        "error": None,
        "rows": 0,
        "requests": 12,
        "tokens": 140,
        "is_published": True,
    }
    assert told.items() >= expected.items()
    assert told["seconds"] >= 0
    assert "client" not in told


@pytest.mark.parametrize(
    ("error", "outcome", "is_told"),
    [
        (None, "success", False),
        (BudgetSpent("The budget is spent."), "later", False),
        (Partial("persons could not be read."), "partial", True),
        (Refused("too much is missing"), "failure", True),
        (RuntimeError("the sky is falling"), "failure", True),
    ],
)
def test_a_channel_is_told_of_what_somebody_has_to_look_at(
    tmp_path: Path, error: Exception | None, outcome: str, is_told: bool
) -> None:
    with listening() as usual, listening() as everything:
        for box, on in ((usual, ""), (everything, "success,partial,later,failure")):
            settings = settings_for(tmp_path, webhook=box.url, on=on)
            if isinstance(error, RuntimeError):
                with pytest.raises(RuntimeError):
                    end(settings, error)
            else:
                end(settings, error)
    (told,) = [request.json for request in everything.received]
    assert told["outcome"] == outcome
    assert (str(error) if error else "") in told["text"]
    assert bool(usual.received) is is_told


@pytest.mark.parametrize(
    ("error", "pings"),
    [
        (None, [("GET", "/x")]),
        (Partial("persons could not be read."), [("POST", "/x/fail")]),
        (Refused("too much is missing"), [("POST", "/x/fail")]),
        (BudgetSpent("The budget is spent."), []),
    ],
)
def test_a_healthcheck_is_pinged_at_success_and_failure_and_waits_for_later(
    tmp_path: Path, error: Exception | None, pings: list[tuple[str, str]]
) -> None:
    with listening() as box:
        end(settings_for(tmp_path, healthcheck=box.url + "/x/"), error)
    assert box.paths() == pings
    if pings and error:
        assert str(error) in box.received[-1].body.decode()


def refusing() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.mark.parametrize("trouble", ["refused", "silent", "404", "redirect"])
def test_a_notification_that_fails_is_one_line_without_the_address(
    tmp_path: Path, trouble: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with listening() as elsewhere, listening() as box:
        box.is_silent = trouble == "silent"
        box.status = {"404": 404, "redirect": 307}.get(trouble, 200)
        box.location = elsewhere.url if trouble == "redirect" else ""
        url = refusing() if trouble == "refused" else box.url
        settings = settings_for(tmp_path, webhook=url + PATH, on="success")
        news = end(settings, timeout=0.3)
    assert news.outcome == "success"
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("The webhook ")
    assert "abcdefgh" not in line
    assert "127.0.0.1" not in line
    assert elsewhere.received == []


def test_the_token_is_in_nothing_that_is_told(tmp_path: Path) -> None:
    with listening() as box:
        settings = settings_for(tmp_path, webhook=box.url + PATH, healthcheck=box.url + "/x")
        with pytest.raises(RuntimeError):
            end(settings, RuntimeError(f"GET https://x?api_token={TOKEN} via {box.url}{PATH}"))
    assert len(box.received) == 2
    for request in box.received:
        assert TOKEN not in str(request)
        assert PATH not in request.body.decode()
        assert "User-Agent" in request.headers


def test_a_run_that_is_stopped_from_outside_is_told_as_a_failure(tmp_path: Path) -> None:
    with listening() as box:
        settings = settings_for(tmp_path, webhook=box.url)
        with (
            pytest.raises(KeyboardInterrupt),
            Narrator() as narrator,
            announced(settings, narrator, "run"),
        ):
            raise KeyboardInterrupt
    assert box.received[0].json["outcome"] == "failure"


def values(file: Path) -> dict[str, float]:
    lines = file.read_text().splitlines()
    return {
        name: float(value)
        for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    }


def test_the_metrics_of_a_run_are_in_a_file_that_prometheus_can_read(
    project_of: Make, tmp_path: Path
) -> None:
    file = tmp_path / "collector" / "pipeduck.prom"
    settings = settings_for(tmp_path, metrics=str(file))
    with Sandbox(persons=7, leads=3, archived_leads=2) as box:
        result = project_of(box).run()
    with Narrator() as narrator, announced(settings, narrator, "run") as news:
        assert news.end(result) is result
    found = values(file)
    assert found["pipeduck_last_run_exit_code"] == 0
    assert found["pipeduck_last_run_rows"] == sum(p.rows_loaded for p in result.progress)
    assert found["pipeduck_last_run_requests"] == result.requests
    assert found["pipeduck_last_run_tokens"] == result.tokens
    assert found['pipeduck_live_rows{table="persons"}'] == 7
    assert found['pipeduck_live_rows{table="leads"}'] == 5
    names = {name.partition("{")[0] for name in found}
    text = file.read_text()
    assert text.endswith("\n")
    for name in names:
        assert len(re.findall(rf"^# HELP {name} \S", text, re.MULTILINE)) == 1
        assert len(re.findall(rf"^# TYPE {name} gauge$", text, re.MULTILINE)) == 1
    assert file.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in file.parent.iterdir()] == [file.name]

    end(settings, Partial("persons could not be read."))
    later = values(file)
    success = "pipeduck_last_success_timestamp_seconds"
    assert later["pipeduck_last_run_exit_code"] == 3
    assert later[success] == found[success]
    assert later['pipeduck_live_rows{table="persons"}'] == 7


def test_what_is_left_of_the_day_and_the_cost_are_those_of_the_client_even_after_an_error(
    project_of: Make, tmp_path: Path
) -> None:
    file = tmp_path / "pipeduck.prom"
    settings = settings_for(tmp_path, metrics=str(file))

    def fail(client: Client) -> None:
        with Narrator() as narrator, announced(settings, narrator, "run") as news:
            news.client = client
            client.identify()
            raise Refused("no")

    with (
        Sandbox(persons=1) as box,
        open_client(project_of(box).settings()) as client,
        pytest.raises(Refused),
    ):
        fail(client)
    found = values(file)
    assert found["pipeduck_last_run_requests"] == 1
    assert found["pipeduck_daily_tokens_limit"] == 1_800_000
    assert found["pipeduck_daily_tokens_remaining"] == 1_799_998
    assert found["pipeduck_last_run_exit_code"] == 4


def test_a_metrics_file_that_cannot_be_written_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a-file").write_text("x")
    end(settings_for(tmp_path, metrics=str(tmp_path / "a-file" / "pipeduck.prom")))
    (line,) = capsys.readouterr().err.splitlines()
    assert "cannot be written" in line


def test_nobody_is_told_where_nothing_is_configured(tmp_path: Path) -> None:
    assert end(settings_for(tmp_path)).outcome == "success"
    assert list(tmp_path.iterdir()) == []
