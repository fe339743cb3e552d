"""Tokens, burst window and their headers."""

import json
from pathlib import Path

import pytest
from sandbox_client import ask, get

from sources.sandbox import Sandbox

COSTS = Path(__file__).parents[2].parent / "shared" / "pipedrive-openapi" / "token-costs.json"


def test_remaining_tokens_are_told_before_the_request_is_charged() -> None:
    with Sandbox(daily_tokens=1000) as box:
        first = get(box, "/v1/leads").headers
        second = get(box, "/api/v2/persons").headers
        third = get(box, "/v1/users/me").headers
        name = "x-daily-ratelimit-token-remaining"
        assert [int(x[name]) for x in (first, second, third)] == [1000, 980, 970]
        assert first["x-daily-ratelimit-token-limit"] == "1000"
        assert first["x-ratelimit-limit"] == "80"
        assert first["x-ratelimit-reset"] == "2"
        assert box.tokens_spent == 32
        assert [request.cost for request in box.requests] == [20, 10, 2]


def test_refused_requests_cost_nothing() -> None:
    with Sandbox() as box:
        get(box, "/api/v2/persons", limit=501)
        get(box, "/nothing")
        assert box.tokens_spent == 0


def test_a_spent_day_answers_429_until_midnight_of_the_accounts_clock() -> None:
    with Sandbox(daily_tokens=25) as box:
        assert get(box, "/v1/leads").status == 200
        reply = get(box, "/v1/leads")
        assert reply.status == 429
        assert reply.json == {
            "success": False,
            "error": "daily request budget exceeded",
            "errorCode": 429,
        }
        seconds = int(reply.headers["retry-after"])
        assert seconds == 16 * 3600
        box.account.advance(seconds)
        assert get(box, "/v1/leads").status == 200


def test_the_budget_can_change() -> None:
    with Sandbox(daily_tokens=0) as box:
        assert get(box, "/v1/leads").status == 429
        box.set_daily_tokens(20)
        assert get(box, "/v1/leads").status == 200


def test_a_burst_is_refused_when_enforced() -> None:
    with Sandbox(burst_limit=3, enforce_burst=True) as box:
        replies = [get(box, "/v1/users/me") for _ in range(4)]
        assert [reply.status for reply in replies] == [200, 200, 200, 429]
        assert [reply.headers["x-ratelimit-remaining"] for reply in replies] == list("2100")


def test_headers_can_be_missing() -> None:
    with Sandbox(rate_limit_headers=False) as box:
        assert not [name for name in get(box, "/v1/leads").headers if "ratelimit" in name.lower()]


def test_date_is_the_accounts_clock() -> None:
    with Sandbox() as box:
        assert get(box, "/v1/leads").headers["Date"] == "Mon, 01 Jun 2026 08:00:00 GMT"
        box.account.advance(61)
        assert get(box, "/v1/leads").headers["Date"] == "Mon, 01 Jun 2026 08:01:01 GMT"


def test_gzip_is_an_option() -> None:
    with Sandbox(gzip=True) as box:
        headers = {"x-api-token": box.token, "Accept-Encoding": "gzip"}
        reply = ask(f"{box.url}/v1/leads", headers)
        assert reply.headers["Content-Encoding"] == "gzip"
        assert reply.body[:2] == b"\x1f\x8b"
        assert get(box, "/v1/leads").headers["Content-Encoding"] is None


@pytest.mark.skipif(not COSTS.exists(), reason="the OpenAPI files are not here")
def test_costs_are_those_of_the_specification() -> None:
    told: dict[str, int] = {}
    for version in ("v1_2026_01_14", "v1_2026_08_18", "v2_2026_08_18"):
        for operation, facts in json.loads(COSTS.read_text())[version].items():
            told[operation.replace("/api/", "/")] = facts["cost"]
    endpoints = Sandbox(persons=1, organizations=1).api.endpoints
    assert {name: endpoint.cost for name, endpoint in endpoints.items()} == {
        name: told[f"GET /{name}"] for name in endpoints
    }
