"""The client against a sandbox that misbehaves: each fault has its error, and none the token."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator

import pytest

from sources.pipedrive.client import Client, Meter, Token
from sources.pipedrive.endpoints import ENDPOINTS
from sources.pipedrive.errors import (
    BadAnswer,
    BadRequest,
    Blocked,
    BudgetSpent,
    BurstLimited,
    Forbidden,
    Misconfigured,
    NoToken,
    NotServed,
    ServerTrouble,
    SourceError,
    Unauthorized,
    Unreachable,
)
from sources.pipedrive.hosts import Host, find_host
from sources.pipedrive.pages import Page
from sources.pipedrive.walks import Params
from sources.sandbox import Sandbox

PERSONS = next(e for e in ENDPOINTS if e.entity == "persons")


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(persons=5, organizations=3, leads=3, archived_leads=1) as served:
        yield served


def client_of(box: Sandbox, **options: float) -> Client:
    return Client(
        find_host("", box.url), Token(box.token), **({"max_wait": 0.0, "timeout": 5.0} | options)
    )


def persons(client: Client, params: Params | None = None) -> Page:
    return client.page(PERSONS, PERSONS.v2, params or {}, Meter())


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("status", {"code": 500}),
        ("status", {"code": 502, "body": "html"}),
        ("status", {"code": 503, "body": "empty"}),
        ("status", {"code": 504, "body": "html"}),
        ("status", {"code": 524, "body": "html"}),
        ("html", {}),
        ("cut", {}),
        ("truncated", {}),
        ("reset", {}),
        ("burst_429", {}),
        ("burst_429", {"headers": False}),
        ("success_false", {}),
    ],
)
def test_what_passes_by_itself_is_tried_again(
    box: Sandbox, kind: str, arguments: dict[str, object]
) -> None:
    box.fault("*/persons", kind, times=2, **arguments)
    with client_of(box) as client:
        assert len(persons(client).records) == 5
    assert len([r for r in box.requests if r.path.endswith("/persons")]) == 3


@pytest.mark.parametrize(
    ("kind", "arguments", "error"),
    [
        ("status", {"code": 500}, ServerTrouble),
        ("html", {}, BadAnswer),
        ("truncated", {}, BadAnswer),
        ("success_false", {}, BadAnswer),
        ("reset", {}, Unreachable),
        ("burst_429", {}, BurstLimited),
    ],
)
def test_what_does_not_pass_ends_after_five_tries(
    box: Sandbox, kind: str, arguments: dict[str, object], error: type[SourceError]
) -> None:
    box.fault("*/persons", kind, times=None, **arguments)
    with client_of(box) as client, pytest.raises(error) as caught:
        persons(client)
    assert caught.value.exit_code == 75
    assert len([r for r in box.requests if r.path.endswith("/persons")]) == 5


@pytest.mark.parametrize(
    ("kind", "arguments", "error", "exit_code"),
    [
        ("daily_429", {}, BudgetSpent, 75),
        ("cloudflare_403", {}, Blocked, 75),
        ("status", {"code": 403}, Forbidden, 77),
        ("status", {"code": 402}, Forbidden, 77),
        ("status", {"code": 401}, Unauthorized, 77),
        ("status", {"code": 404}, NotServed, 1),
        ("status", {"code": 410}, NotServed, 1),
        ("status", {"code": 400}, BadRequest, 1),
    ],
)
def test_what_trying_again_cannot_mend_is_asked_once(
    box: Sandbox,
    kind: str,
    arguments: dict[str, object],
    error: type[SourceError],
    exit_code: int,
) -> None:
    box.fault("*/persons", kind, times=None, **arguments)
    with client_of(box) as client, pytest.raises(error) as caught:
        persons(client)
    assert caught.value.exit_code == exit_code
    assert len([r for r in box.requests if r.path.endswith("/persons")]) == 1


def test_a_hanging_server_is_given_up_on(box: Sandbox) -> None:
    box.fault("*/persons", "hang", times=None)
    with client_of(box, timeout=0.05) as client, pytest.raises(Unreachable):
        persons(client)


def test_data_null_and_missing_additional_data_are_an_empty_and_a_last_page(box: Sandbox) -> None:
    with client_of(box) as client:
        box.fault("*/persons", "data_null")
        assert persons(client).records == ()
        box.fault("*/persons", "no_additional_data")
        page = persons(client, {"limit": 2})
        assert len(page.records) == 2
        assert page.next_cursor is None


def test_a_host_that_refuses_is_told_with_what_to_check() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with (
        Client(find_host("", url), Token("t"), max_wait=0) as client,
        pytest.raises(Unreachable, match=url) as caught,
    ):
        client.identify()
    assert "base_url" in caught.value.hint


@pytest.mark.parametrize("token", ["", "  "])
def test_no_token_is_told_before_any_request(box: Sandbox, token: str) -> None:
    with pytest.raises(NoToken) as caught:
        Client(find_host("", box.url), Token(token))
    assert caught.value.exit_code == 77
    assert "SOURCES__PIPEDRIVE__API_TOKEN" in caught.value.hint
    assert box.requests == []


@pytest.mark.parametrize("token", ["wrong", "with space", "with\nnewline", "ümlaut"])
def test_a_wrong_token_is_not_allowed(box: Sandbox, token: str) -> None:
    with (
        pytest.raises(Unauthorized) as caught,
        Client(find_host("", box.url), Token(token), max_wait=0) as client,
    ):
        client.identify()
    assert caught.value.exit_code == 77


def test_an_oauth_token_goes_in_its_own_header(box: Sandbox) -> None:
    token = Token(box.oauth_token, is_oauth=True)
    with Client(find_host("", box.url), token) as client:
        assert client.identify().company_domain


def test_the_prefix_of_v1_is_found_out(box: Sandbox) -> None:
    with Client(Host(box.url, ("/nowhere", "/api/v1")), Token(box.token)) as client:
        assert client.identify().is_admin
    with Client(Host(box.url, ("/nowhere",)), Token(box.token)) as client, pytest.raises(NotServed):
        client.identify()


def test_requests_and_tokens_are_counted_for_the_entity_and_the_client(box: Sandbox) -> None:
    box.fault("*/persons", "status", code=500)
    meter = Meter()
    with client_of(box) as client:
        client.identify()
        client.page(PERSONS, PERSONS.v2, {}, meter)
        assert (meter.requests, meter.tokens) == (2, 10)
        assert (client.meter.requests, client.meter.tokens) == (3, 12)
    assert sum(request.cost for request in box.requests) == 12


def test_the_reserve_of_the_day_is_left_to_others(box: Sandbox) -> None:
    box.set_daily_tokens(100)
    with client_of(box, daily_reserve=0.5) as client:
        for _ in range(5):
            persons(client)
        with pytest.raises(BudgetSpent, match="reserved"):
            persons(client)
    assert box.tokens_spent == 50


def test_a_wait_is_capped_and_logged(box: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    box.fault("*/persons", "status", code=503)
    with caplog.at_level(logging.WARNING, "pipeduck"), client_of(box) as client:
        persons(client)
    assert "Trying again in 0.0 s" in caplog.text


def test_a_redirect_is_not_followed(box: Sandbox) -> None:
    box.fault("*/persons", "status", times=None, code=302)
    with client_of(box) as client, pytest.raises(Misconfigured, match="redirect"):
        persons(client)
    assert len(box.requests) == 1


@pytest.mark.parametrize("kind", ["status", "html", "success_false", "reset", "cloudflare_403"])
def test_no_error_and_no_log_line_holds_the_token(
    box: Sandbox, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    box.fault("*/persons", kind, times=None)
    with (
        caplog.at_level(logging.DEBUG),
        client_of(box) as client,
        pytest.raises(SourceError) as caught,
    ):
        persons(client)
    error: BaseException | None = caught.value
    while error:
        assert box.token not in f"{error!r} {error}"
        error = error.__cause__
    assert box.token not in caplog.text
    assert box.token not in repr(client)
    assert all(box.token not in str(request) for request in box.requests)
