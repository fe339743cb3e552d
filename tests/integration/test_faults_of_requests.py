"""Every fault of a request, over real HTTP: what is done about it, what it ends in, who hears."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from clients import Clock, Heard, asked, client_of, organizations, persons

from sources.pipedrive.client import Client, Token, Trouble
from sources.pipedrive.errors import (
    BadAnswer,
    BudgetSpent,
    BurstLimited,
    Forbidden,
    Misconfigured,
    NoConnection,
    ServerTrouble,
    SourceError,
    Unreachable,
    Untrusted,
)
from sources.pipedrive.hosts import find_host
from sources.pipedrive.rules import ATTEMPTS, RULES, as_markdown
from sources.sandbox import Sandbox

Case = tuple[str, str, dict[str, Any]]

ERRORS = {kind: rule.error for rule in RULES for kind in rule.kinds}
CASES: tuple[Case, ...] = (
    ("429 burst", "burst_429", {}),
    ("429 burst", "burst_429", {"headers": False}),
    ("daily budget", "daily_429", {}),
    ("daily budget", "daily_429", {"retry_after": None}),
    ("daily budget", "daily_429", {"words": False}),
    ("blocked", "cloudflare_403", {}),
    ("401", "status", {"code": 401}),
    ("403", "status", {"code": 403}),
    ("402", "status", {"code": 402}),
    ("404", "status", {"code": 404}),
    ("405", "status", {"code": 405}),
    ("410", "status", {"code": 410}),
    ("501", "status", {"code": 501}),
    ("redirect", "redirect", {}),
    ("400", "status", {"code": 400}),
    ("415", "status", {"code": 415}),
    ("422", "status", {"code": 422}),
    *(
        (str(code), "status", {"code": code, "body": body})
        for code in (500, 502, 503, 504, 524)
        for body in ("json", "html", "empty")
    ),
    ("408", "status", {"code": 408}),
    ("425", "status", {"code": 425}),
    ("reset", "reset", {}),
    ("reset", "reset_midway", {}),
    ("reset", "cut", {}),
    ("not json", "truncated", {}),
    ("not json", "empty", {}),
    ("not json", "replace", {"payload": ["no record"]}),
    ("undecodable", "undecodable", {}),
    ("content type", "html", {}),
    ("content type", "content_type", {}),
    ("success false", "success_false", {}),
)
ELSEWHERE = {"reserve", "timeout", "no connection", "no such host", "tls", "oauth"}
"""Kinds that no answer of the sandbox can show: below, in test_budget_and_pace, in test_oauth."""


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(persons=5, organizations=3, leads=3, archived_leads=1) as served:
        yield served


def test_every_rule_has_a_case() -> None:
    assert {kind for kind, _, _ in CASES} | ELSEWHERE == set(ERRORS)


def test_the_table_of_rules_names_each_fault_once() -> None:
    lines = as_markdown().splitlines()
    assert len(lines) == len(RULES) + 2
    assert len({rule.fault for rule in RULES}) == len(RULES)
    assert all(line.count("|") == 6 for line in lines)


@pytest.mark.parametrize(("kind", "fault", "arguments"), CASES)
def test_a_fault_that_stays_ends_by_its_rule(
    box: Sandbox, kind: str, fault: str, arguments: dict[str, Any]
) -> None:
    box.fault("*/persons", fault, times=None, **arguments)
    error = ERRORS[kind]
    clock, heard = Clock(), Heard()
    with client_of(box, clock, on_trouble=heard.append) as client:
        with pytest.raises(error) as caught:
            persons(client)
        assert type(caught.value) is error
        assert asked(box, "/persons") == (ATTEMPTS if error.is_retried else 1)
        assert set(heard.kinds) == {kind}
        assert [trouble.is_final for trouble in heard] == [False] * (len(heard) - 1) + [True]
        assert [trouble.attempt for trouble in heard] == list(range(1, len(heard) + 1))
        assert {trouble.path for trouble in heard} == {"v2/persons"}
        assert sum(clock.slept) == pytest.approx(sum(heard.waits))
        if not error.stops_run:
            assert len(organizations(client).records) == 3
            return
        with pytest.raises(error):
            organizations(client)
        assert asked(box, "/organizations") == 0
        assert len(heard) == (ATTEMPTS if error.is_retried else 1), "it is told once"


@pytest.mark.parametrize(
    ("kind", "fault", "arguments"), [case for case in CASES if ERRORS[case[0]].is_retried]
)
def test_a_fault_that_passes_is_survived_and_told(
    box: Sandbox,
    kind: str,
    fault: str,
    arguments: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    box.fault("*/persons", fault, times=2, **arguments)
    heard = Heard()
    with (
        caplog.at_level(logging.WARNING, "pipeduck.client"),
        client_of(box, Clock(), on_trouble=heard.append) as client,
    ):
        assert len(persons(client).records) == 5
    assert heard.kinds == [kind, kind]
    assert not any(trouble.is_final for trouble in heard)
    assert [f"attempt {n} ({kind})" in caplog.text for n in (1, 2, 3)] == [True, True, False]


def test_the_status_of_an_answer_is_told_where_one_came(box: Sandbox) -> None:
    heard = Heard()
    box.fault("*/persons", "status", code=503)
    box.fault("*/persons", "reset")
    with client_of(box, on_trouble=heard.append) as client:
        persons(client, {"limit": 2})
    assert [trouble.status for trouble in heard] == [503, None]
    assert heard[0].params == {"limit": 2}


def test_a_daily_429_is_never_waited_for(box: Sandbox) -> None:
    box.fault("*/persons", "daily_429", times=None)
    clock = Clock()
    with client_of(box, clock) as client, pytest.raises(BudgetSpent) as caught:
        persons(client)
    assert clock.slept == []
    assert "1 h 6 min" in caught.value.hint


def test_tokens_that_do_not_reach_for_the_request_are_the_days_end_too(box: Sandbox) -> None:
    box.set_daily_tokens(7)
    box.fault("*/persons", "status", times=None, code=429, text="request over limit")
    with client_of(box) as client, pytest.raises(BudgetSpent):
        persons(client)


@pytest.mark.parametrize("fault", ["burst_429", "status"])
def test_no_wait_is_longer_than_the_cap_and_all_of_them_are_bounded(
    box: Sandbox, fault: str
) -> None:
    arguments: dict[str, Any] = (
        {"retry_after": 4000} if fault == "burst_429" else {"code": 429, "text": "over limit"}
    )
    box.fault("*/persons", fault, times=None, **arguments)
    clock = Clock()
    with client_of(box, clock, max_wait=1.5) as client, pytest.raises(BurstLimited):
        persons(client)
    assert set(clock.slept) == {1.5}
    assert sum(clock.slept) <= 3 * 1.5


def test_a_hanging_server_is_given_up_on(box: Sandbox) -> None:
    box.fault("*/persons", "hang", times=None)
    heard = Heard()
    with (
        client_of(box, timeout=0.05, on_trouble=heard.append) as client,
        pytest.raises(Unreachable) as caught,
    ):
        persons(client)
    assert caught.value.exit_code == 75
    assert heard.kinds == ["timeout"] * ATTEMPTS


def test_an_answer_that_trickles_is_given_up_on(box: Sandbox) -> None:
    clock, heard = Clock(), Heard()
    box.fault("*/persons", "hook", call=lambda: clock.sleep(26.0))
    with client_of(box, clock, timeout=5.0, on_trouble=heard.append) as client:
        persons(client)
    assert heard.kinds == ["timeout"]


def test_a_host_that_refuses_ends_the_run_after_some_tries() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    heard, clock = Heard(), Clock()
    with Client(
        find_host("", url), Token("t"), on_trouble=heard.append, sleep=clock.sleep, clock=clock
    ) as client:
        with pytest.raises(NoConnection, match=url) as caught:
            client.identify()
        assert "base_url" in caught.value.hint
        assert heard.kinds == ["no connection"] * ATTEMPTS
        with pytest.raises(NoConnection):
            persons(client)
    assert len(heard) == ATTEMPTS


def test_a_name_that_is_not_found_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    heard = Heard()
    with (
        Client(
            find_host("", "http://pipeduck.invalid"),
            Token("t"),
            max_wait=0,
            on_trouble=heard.append,
        ) as client,
        pytest.raises(NoConnection, match="is not found"),
    ):
        client.identify()
    assert heard.kinds == ["no such host"] * ATTEMPTS


def test_a_tls_failure_stops_the_run_at_once(box: Sandbox) -> None:
    heard = Heard()
    url = box.url.replace("http://", "https://")
    with (
        Client(find_host("", url), Token(box.token), on_trouble=heard.append) as client,
        pytest.raises(Untrusted) as caught,
    ):
        client.identify()
    assert caught.value.exit_code == 75
    assert heard.kinds == ["tls"]
    assert box.requests == []


def test_a_redirect_is_not_followed(box: Sandbox) -> None:
    box.fault("*/persons", "redirect", times=None)
    with client_of(box) as client, pytest.raises(Misconfigured, match="redirect") as caught:
        persons(client)
    assert caught.value.exit_code == 2
    assert [request.path for request in box.requests] == ["/api/v2/persons"]


def test_a_missing_scope_is_told_as_what_it_is(box: Sandbox) -> None:
    box.fault("*/persons", "status", code=403, text="Scope and URL mismatch")
    with client_of(box) as client, pytest.raises(Forbidden) as caught:
        persons(client)
    assert "contacts:read" in caught.value.hint


def test_data_null_and_missing_additional_data_are_an_empty_and_a_last_page(box: Sandbox) -> None:
    heard = Heard()
    with client_of(box, on_trouble=heard.append) as client:
        box.fault("*/persons", "data_null")
        assert persons(client).records == ()
        box.fault("*/persons", "no_additional_data")
        page = persons(client, {"limit": 2})
        assert len(page.records) == 2
        assert page.next_cursor is None
    assert heard == []


def test_who_listens_cannot_break_the_work(box: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    def listen(_: Trouble) -> None:
        raise RuntimeError("the disk is full")

    box.fault("*/persons", "status", code=500)
    with caplog.at_level(logging.WARNING), client_of(box, on_trouble=listen) as client:
        assert len(persons(client).records) == 5
    assert "could not be noted (RuntimeError)" in caplog.text


@pytest.mark.parametrize("error", [ServerTrouble, BadAnswer, NoConnection])
def test_secrets_are_taken_out_of_message_hint_and_text(error: type[SourceError]) -> None:
    caught = error("it said s3cret-s3cret", "do not show s3cret-s3cret")
    caught.redact(["s3cret-s3cret", "it"])
    assert (caught.message, caught.hint) == ("it said ***", "do not show ***")
    assert "s3cret" not in f"{caught} {caught!r}"


@pytest.mark.parametrize("fault", ["status", "html", "success_false", "reset", "cloudflare_403"])
def test_no_error_no_log_line_and_no_trouble_holds_the_token(
    box: Sandbox, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    box.fault("*/persons", fault, times=None)
    if fault == "status":
        box.clear_faults()
        box.fault("*/persons", fault, times=None, text=f"who is {box.token}?")
    heard = Heard()
    with (
        caplog.at_level(logging.DEBUG),
        client_of(box, on_trouble=heard.append) as client,
        pytest.raises(SourceError) as caught,
    ):
        persons(client)
    error: BaseException | None = caught.value
    while error:
        assert box.token not in f"{error!r} {error}"
        error = error.__cause__
    assert box.token not in caplog.text
    assert box.token not in repr(client)
    assert box.token not in repr(heard)
    assert all(box.token not in str(request) for request in box.requests)
