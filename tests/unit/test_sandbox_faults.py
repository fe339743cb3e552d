"""Each kind of fault does what it says, to the requests it was asked for and to no other."""

import http.client
import json
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import pytest
from sandbox_client import cursor_pages, flat, get

from sources.sandbox import Sandbox
from sources.sandbox.faults import KINDS, merge_patch


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(persons=12, organizations=3, leads=4) as box:
        yield box


def test_a_fault_comes_after_some_requests_and_goes_after_some(box: Sandbox) -> None:
    box.fault("leads", "status", times=2, after=1, code=503)
    assert get(box, "/v1/users").status == 200
    assert [get(box, "/v1/leads").status for _ in range(4)] == [200, 503, 503, 200]
    assert [request.cost for request in box.requests][1:] == [20, 0, 0, 20]


def test_paths_are_globs_with_or_without_the_prefix(box: Sandbox) -> None:
    box.fault("*Fields", "status", times=None)
    assert get(box, "/v1/leadFields").status == 500
    assert get(box, "/api/v2/dealFields").status == 500
    assert get(box, "/v1/leads").status == 200
    box.clear_faults()
    box.fault("/api/v2/persons", "status")
    assert get(box, "/v1/persons/collection").status == 200
    assert get(box, "/api/v2/persons").status == 500


@pytest.mark.parametrize(
    ("body", "content_type"),
    [("json", "application/json"), ("html", "text/html"), ("empty", "text/plain")],
)
def test_status(box: Sandbox, body: str, content_type: str) -> None:
    box.fault("*", "status", code=524, body=body)
    reply = get(box, "/v1/leads")
    assert reply.status == 524
    assert reply.headers["Content-Type"].startswith(content_type)
    assert bool(reply.body) == (body != "empty")


def test_html(box: Sandbox) -> None:
    box.fault("*", "html")
    reply = get(box, "/v1/leads")
    assert reply.status == 200
    assert reply.headers["Content-Type"].startswith("text/html")
    assert reply.body.startswith(b"<!DOCTYPE html>")


def test_data_null_success_false_and_no_additional_data(box: Sandbox) -> None:
    box.fault("*", "data_null")
    box.fault("*", "success_false")
    box.fault("*", "no_additional_data")
    assert get(box, "/api/v2/persons").data is None
    assert get(box, "/api/v2/persons").json["success"] is False
    body = get(box, "/api/v2/persons").json
    assert len(body["data"]) == 12
    assert "additional_data" not in body


def test_cut_and_truncated(box: Sandbox) -> None:
    box.fault("*", "cut")
    with pytest.raises(http.client.IncompleteRead):
        get(box, "/v1/leads")
    box.fault("*", "truncated")
    reply = get(box, "/v1/leads")
    assert len(reply.body) == int(reply.headers["Content-Length"])
    with pytest.raises(json.JSONDecodeError):
        reply.json  # noqa: B018 - reading it is the test


def test_reset(box: Sandbox) -> None:
    box.fault("*", "reset")
    with pytest.raises((ConnectionResetError, urllib.error.URLError)) as caught:
        get(box, "/v1/leads")
    assert "reset" in str(caught.value).lower()
    assert get(box, "/v1/leads").status == 200


def test_reset_midway(box: Sandbox) -> None:
    box.fault("*", "reset_midway")
    with pytest.raises((ConnectionResetError, http.client.IncompleteRead, urllib.error.URLError)):
        get(box, "/v1/leads")
    assert get(box, "/v1/leads").status == 200


def test_empty_undecodable_and_another_content_type(box: Sandbox) -> None:
    box.fault("*", "empty")
    box.fault("*", "undecodable")
    box.fault("*", "content_type")
    empty, undecodable, typed = (get(box, "/v1/leads") for _ in range(3))
    assert (empty.status, empty.body) == (200, b"")
    assert undecodable.headers["Content-Encoding"] == "gzip"
    assert undecodable.body.startswith(b"{")
    assert typed.headers["Content-Type"] == "text/plain"
    assert typed.json["success"] is True


def test_body(box: Sandbox) -> None:
    box.fault("*", "body", content=["odd"])
    assert get(box, "/v1/leads").json == ["odd"]


def test_redirect(box: Sandbox) -> None:
    box.fault("/v1/leads", "redirect", to="/v1/users/me")
    assert get(box, "/v1/leads").data["id"], "urllib follows, and takes the token along"
    assert [request.status for request in box.requests] == [302, 200]


def test_hang(box: Sandbox) -> None:
    box.fault("*", "hang")
    connection = http.client.HTTPConnection(box.url.removeprefix("http://"), timeout=0.05)
    connection.request("GET", "/v1/leads", headers={"x-api-token": box.token})
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()
    assert get(box, "/v1/leads").status == 200


def test_closing_the_sandbox_ends_a_hanging_answer() -> None:
    with Sandbox(persons=1) as box:
        box.fault("*", "hang")
        connection = http.client.HTTPConnection(box.url.removeprefix("http://"), timeout=5)
        connection.request("GET", "/v1/leads", headers={"x-api-token": box.token})
    with pytest.raises(ConnectionResetError):
        connection.getresponse()
    connection.close()


def test_too_many_requests(box: Sandbox) -> None:
    box.fault("*", "burst_429")
    box.fault("*", "burst_429", headers=False)
    box.fault("*", "daily_429")
    told, silent, daily = (get(box, "/v1/leads") for _ in range(3))
    assert [x.status for x in (told, silent, daily)] == [429, 429, 429]
    assert told.headers["x-ratelimit-remaining"] == "0"
    assert "x-ratelimit-remaining" not in silent.headers
    assert "daily" in daily.json["error"]
    assert daily.headers["retry-after"] == "3939"
    assert daily.headers["x-daily-ratelimit-token-remaining"] == "0"
    box.fault("*", "daily_429", words=False)
    assert "daily" not in get(box, "/v1/leads").json["error"]
    box.fault("*", "burst_429", retry_after=4000)
    assert get(box, "/v1/leads").headers["retry-after"] == "4000"


def test_cloudflare(box: Sandbox) -> None:
    box.fault("*", "cloudflare_403")
    reply = get(box, "/v1/leads")
    assert reply.status == 403
    assert b"Cloudflare" in reply.body
    assert "x-ratelimit-limit" not in reply.headers


def test_replace_one_record_or_all(box: Sandbox) -> None:
    box.fault("persons", "replace", id=2, patch={"name": 12, "emails": None})
    rows = get(box, "/api/v2/persons").data
    assert rows[1]["name"] == 12
    assert "emails" not in rows[1]
    assert isinstance(rows[0]["name"], str)
    box.fault("persons", "replace", payload=[{"id": 77}])
    reply = get(box, "/api/v2/persons").json
    assert reply["data"] == [{"id": 77}]
    assert "additional_data" in reply


@pytest.mark.parametrize("path", ["/v1/personFields", "/api/v2/personFields"])
def test_replace_a_definition_by_its_key(box: Sandbox, path: str) -> None:
    key = box.account.field_named("person", "Nickname").key
    box.fault("personFields", "replace", id=key, patch={"field_type": "hologram"})
    kinds = [row["field_type"] for row in get(box, path, limit=500).data]
    assert kinds.count("hologram") == 1


def test_a_hook_changes_the_account_between_two_pages(box: Sandbox) -> None:
    box.fault("persons", "hook", after=1, call=lambda: box.account.delete("person", 9))
    rows = flat(cursor_pages(box, "/api/v2/persons", limit=5))
    assert [row["id"] for row in rows] == [1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12]


def test_every_kind_has_a_test_here() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert [kind for kind in KINDS if f'"{kind}"' not in source] == []


def test_an_unknown_kind_is_an_error(box: Sandbox) -> None:
    with pytest.raises(ValueError, match="there is no fault 'quake'"):
        box.fault("*", "quake")


def test_merge_patch_follows_its_rfc() -> None:
    target = {"a": {"b": 1, "c": 2}, "d": [1]}
    assert merge_patch(target, {"a": {"b": None}, "d": {"e": 1}}) == {"a": {"c": 2}, "d": {"e": 1}}
