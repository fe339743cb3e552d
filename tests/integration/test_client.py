"""The client itself: who it is, where v1 is served, what it counts and says."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from clients import PERSONS, client_of, persons

from sources.pipedrive.client import Client, Meter, Token
from sources.pipedrive.errors import NoToken, NotServed, Unauthorized
from sources.pipedrive.hosts import Host, find_host
from sources.sandbox import Sandbox


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(persons=5, organizations=3, leads=3, archived_leads=1) as served:
        yield served


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


def test_a_wait_is_capped_and_logged(box: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    box.fault("*/persons", "status", code=503)
    with caplog.at_level(logging.WARNING, "pipeduck"), client_of(box) as client:
        persons(client)
    assert "Trying again in 0.0 s" in caplog.text
