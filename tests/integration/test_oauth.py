"""OAuth: access tokens are got, renewed and never shown; new refresh tokens are handed on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from clients import Clock, Heard, asked, client_of, organizations, persons

from sources.pipedrive.client import Client, OAuth
from sources.pipedrive.errors import (
    BadAnswer,
    Misconfigured,
    NoToken,
    ServerTrouble,
    SourceError,
    Unauthorized,
    Unreachable,
)
from sources.pipedrive.rules import ATTEMPTS
from sources.sandbox import Sandbox

TOKEN = "/oauth/token"


def box_with(**options: Any) -> Sandbox:
    return Sandbox(persons=5, organizations=3, leads=1, archived_leads=0, **options)


def oauth_of(box: Sandbox, clock: Clock | None = None, **options: Any) -> OAuth:
    given = {
        "client_id": box.oauth.client_id,
        "client_secret": box.oauth.client_secret,
        "refresh_token": box.oauth.refresh_token,
        "url": box.url + TOKEN,
        "clock": clock or Clock(),
    }
    return OAuth(**(given | options))


def test_an_access_token_is_got_before_the_first_request_and_kept() -> None:
    with box_with() as box, client_of(box, credentials=oauth_of(box)) as client:
        assert client.identify().company_domain
        persons(client)
        assert [request.path for request in box.requests] == [
            TOKEN,
            "/v1/users/me",
            "/api/v2/persons",
        ]
        assert box.requests[0].method == "POST"
        assert {request.status for request in box.requests} == {200}


def test_it_is_renewed_shortly_before_it_ends() -> None:
    clock = Clock()
    with (
        box_with(oauth_expires_in=3600) as box,
        client_of(box, clock, oauth_of(box, clock)) as client,
    ):
        persons(client)
        clock.now += 3500
        persons(client)
        assert len(box.oauth.issued) == 1
        clock.now += 50
        box.account.advance(3550)
        persons(client)
        assert len(box.oauth.issued) == 2
        assert {request.status for request in box.requests} == {200}


def test_it_is_renewed_once_on_a_401() -> None:
    heard = Heard()
    with (
        box_with() as box,
        client_of(box, credentials=oauth_of(box), on_trouble=heard.append) as client,
    ):
        persons(client)
        box.expire_access_tokens()
        assert len(persons(client).records) == 5
        assert len(box.oauth.issued) == 2
    assert heard.kinds == ["401"]
    assert not heard[0].is_final


def test_a_token_for_a_few_requests_is_renewed_as_often_as_needed() -> None:
    with box_with(oauth_requests=2) as box, client_of(box, credentials=oauth_of(box)) as client:
        for _ in range(6):
            persons(client)
        assert len(box.oauth.issued) == 3


def test_a_fresh_token_that_is_not_accepted_ends_the_run() -> None:
    heard = Heard()
    with (
        box_with() as box,
        client_of(box, credentials=oauth_of(box), on_trouble=heard.append) as client,
    ):
        box.fault("*/persons", "status", times=None, code=401)
        with pytest.raises(Unauthorized) as caught:
            persons(client)
        assert "uninstalled" in caught.value.hint
        assert asked(box, "/persons") == 2
        with pytest.raises(Unauthorized):
            organizations(client)
        assert asked(box, "/organizations") == 0
    assert heard.kinds == ["401", "401"]


def test_one_thread_renews_for_all() -> None:
    with box_with() as box, client_of(box, credentials=oauth_of(box)) as client:
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda _: persons(client), range(12)))
        assert len(box.oauth.issued) == 1
        box.expire_access_tokens()
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda _: persons(client), range(12)))
        assert len(box.oauth.issued) == 2


@pytest.mark.parametrize("rotates", [True, False])
def test_a_new_refresh_token_is_handed_on_at_once_and_the_same_one_never(rotates: bool) -> None:
    stored: list[str] = []
    with box_with(oauth_rotates=rotates) as box:
        first = box.oauth.refresh_token
        with client_of(box, credentials=oauth_of(box, store=stored.append)) as client:
            persons(client)
            box.expire_access_tokens()
            persons(client)
        assert len(stored) == (2 if rotates else 0)
        assert (box.oauth.refresh_token == first) is not rotates
        if rotates:
            assert stored[-1] == box.oauth.refresh_token


def test_a_refresh_token_that_cannot_be_stored_does_not_end_the_run_and_is_offered_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stored: list[str] = []

    def store(token: str) -> None:
        if not stored:
            stored.append("failed")
            raise OSError(f"no room for {token}")
        stored.append(token)

    with (
        caplog.at_level(logging.DEBUG),
        box_with(oauth_rotates=True) as box,
        client_of(box, credentials=oauth_of(box, store=store)) as client,
    ):
        persons(client)
        assert "could not be stored (OSError)" in caplog.text
        assert box.oauth.refresh_token not in caplog.text
        box.expire_access_tokens()
        persons(client)
        assert stored == ["failed", box.oauth.refresh_token]


@pytest.mark.parametrize(
    ("change", "says", "hint"),
    [
        (lambda box: box.revoke_refresh_token(), "refresh token .*invalid_grant", "refresh_token"),
        (
            lambda box: setattr(box.oauth, "client_id", "another"),
            "OAuth app .*invalid_client",
            "client_secret",
        ),
    ],
)
def test_what_the_token_endpoint_refuses_is_not_allowed_and_asked_once(
    change: Callable[[Sandbox], object], says: str, hint: str
) -> None:
    heard = Heard()
    with box_with() as box:
        credentials = oauth_of(box)
        change(box)
        with client_of(box, credentials=credentials, on_trouble=heard.append) as client:
            with pytest.raises(Unauthorized, match=says) as caught:
                persons(client)
            with pytest.raises(Unauthorized):
                organizations(client)
        assert caught.value.exit_code == 77
        assert hint in caught.value.hint
        assert len(box.requests) == 1
    assert heard.kinds == ["oauth"]
    assert heard[0].is_final


@pytest.mark.parametrize(
    ("fault", "arguments", "error"),
    [
        ("status", {"code": 503, "body": "html"}, ServerTrouble),
        ("reset", {}, Unreachable),
        ("html", {}, BadAnswer),
        ("truncated", {}, BadAnswer),
        ("data_null", {}, BadAnswer),
    ],
)
def test_trouble_at_the_token_endpoint_is_tried_again(
    fault: str, arguments: dict[str, Any], error: type[SourceError]
) -> None:
    with box_with() as box, client_of(box, credentials=oauth_of(box)) as client:
        box.fault(TOKEN, fault, times=2, **arguments)
        assert len(persons(client).records) == 5
        box.expire_access_tokens()
        box.clear_faults()
        box.fault(TOKEN, fault, times=None, **arguments)
        before = asked(box, TOKEN)
        with pytest.raises(error) as caught:
            persons(client)
        assert caught.value.exit_code == 75
        assert asked(box, TOKEN) - before == ATTEMPTS


def test_without_a_configured_host_the_token_tells_it() -> None:
    with box_with() as box:
        credentials = oauth_of(box)
        with Client(None, credentials, max_wait=0) as client:
            assert client.identify().company_domain
            assert client.host.url == box.url
            assert len(persons(client).records) == 5
        assert credentials.api_domain == box.url
        assert len(box.oauth.issued) == 1


def test_without_any_host_it_is_said() -> None:
    with box_with() as box, Client(None, oauth_of(box), max_wait=0) as client:
        box.fault(TOKEN, "body", content={"access_token": "abcdefgh"})
        with pytest.raises(Misconfigured, match="No Pipedrive company"):
            client.identify()


@pytest.mark.parametrize("missing", ["client_id", "client_secret", "refresh_token"])
def test_what_is_missing_is_told_before_any_request(missing: str) -> None:
    with box_with() as box:
        with pytest.raises(NoToken, match=missing):
            oauth_of(box, **{missing: " "})
        with pytest.raises(Unauthorized, match=missing):
            oauth_of(box, **{missing: "with space"})
        assert box.requests == []


@pytest.mark.parametrize("fault", ["status", "truncated", "reset", "html"])
def test_no_secret_is_in_any_error_log_line_trouble_or_repr(
    fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    heard = Heard()
    with caplog.at_level(logging.DEBUG), box_with(oauth_rotates=True) as box:
        credentials = oauth_of(box)
        secrets = [box.oauth.client_secret, box.oauth.refresh_token]
        with client_of(box, credentials=credentials, on_trouble=heard.append) as client:
            persons(client)
            box.expire_access_tokens()
            secrets += [*box.oauth.issued, box.oauth.refresh_token]
            arguments = {"code": 400, "text": " ".join(secrets)} if fault == "status" else {}
            box.fault(TOKEN, fault, times=None, **arguments)
            with pytest.raises(SourceError) as caught:
                persons(client)
        shown = [f"{credentials!r} {client!r} {heard!r} {caplog.text} {caught.value.hint}"]
        error: BaseException | None = caught.value
        while error:
            shown.append(f"{error!r} {error}")
            error = error.__cause__
        for secret in secrets:
            assert secret not in " ".join(shown)
        assert set(secrets) <= set(credentials.secrets)
        assert not any(secret in str(request) for request in box.requests for secret in secrets)
