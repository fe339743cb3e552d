"""What the sandbox refuses, and in which words: auth, rights, validation, dialects, limits."""

from collections.abc import Iterator

import pytest
from sandbox_client import ask, get

from sources.sandbox import Sandbox


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox() as box:
        yield box


@pytest.mark.parametrize("headers", [{}, {"x-api-token": "0" * 40}])
def test_a_wrong_token_is_answered_as_the_gateway_does(
    box: Sandbox, headers: dict[str, str]
) -> None:
    reply = ask(f"{box.url}/v1/users/me", headers)
    assert reply.status == 401
    assert reply.headers["x-401-by-gw"] == "true"
    assert reply.json == {
        "success": False,
        "error": "unauthorized access",
        "errorCode": 401,
        "error_info": "Please check developers.pipedrive.com",
    }


def test_the_token_is_taken_from_the_header_only(box: Sandbox) -> None:
    assert ask(f"{box.url}/v1/users/me?api_token={box.token}").status == 401
    assert ask(f"{box.url}/v1/users/me", {"Authorization": f"Bearer {box.token}"}).status == 401
    bearer = {"Authorization": f"Bearer {box.oauth_token}"}
    assert ask(f"{box.url}/v1/users/me", bearer).status == 200
    assert box.token not in str(box.requests)


@pytest.mark.parametrize(
    "params",
    [
        {"status": "open"},
        {"is_deleted": "false"},
        {"api_key": "x"},
        {"limit": "501"},
        {"limit": "0"},
        {"limit": "ten"},
        {"updated_since": "2026-01-01T00:00:00.000Z"},
        {"updated_since": "2026-01-01 00:00:00"},
        {"updated_until": "2026-01-01"},
        {"updated_since": "2026-13-01T00:00:00Z"},
        {"sort_by": "name"},
        {"sort_direction": "ASC"},
        {"cursor": "nonsense!"},
        {"cursor": "eyJwZXJzb25zIjoxfQ"},
        {"ids": ",".join(map(str, range(101)))},
    ],
)
@pytest.mark.parametrize("entity", ["persons", "organizations"])
def test_v2_validates_strictly(box: Sandbox, entity: str, params: dict[str, str]) -> None:
    reply = get(box, f"/api/v2/{entity}", **params)
    assert reply.status == 400
    assert reply.json["success"] is False


def test_v2_field_lists_know_few_parameters(box: Sandbox) -> None:
    assert get(box, "/api/v2/personFields", limit=500).status == 200
    assert get(box, "/api/v2/personFields", start=0).status == 400


def test_a_cursor_of_another_order_is_refused(box: Sandbox) -> None:
    page = get(box, "/api/v2/persons", limit=2, sort_by="update_time").json
    cursor = page["additional_data"]["next_cursor"]
    assert get(box, "/api/v2/persons", limit=2, cursor=cursor).status == 400


def test_v1_ignores_what_it_does_not_know_and_clamps_the_limit(box: Sandbox) -> None:
    reply = get(box, "/v1/leads", whatever="1", limit=10_000)
    assert reply.status == 200
    assert reply.json["additional_data"]["pagination"]["limit"] == 500


def test_ids_that_are_not_there_are_absent(box: Sandbox) -> None:
    rows = get(box, "/api/v2/persons", ids="3,1,999999").data
    assert [row["id"] for row in rows] == [1, 3]


def test_collections_are_for_admins() -> None:
    with Sandbox(admin=False) as box:
        reply = get(box, "/v1/persons/collection")
        assert reply.status == 403
        assert reply.json == {
            "success": False,
            "error": "You do not have permissions to do this.",
            "error_info": "Please check developers.pipedrive.com",
            "data": None,
            "additional_data": None,
        }
        assert get(box, "/v1/users/me").data["is_admin"] == 0
        box.account.set_admin(True)
        assert get(box, "/v1/persons/collection").status == 200


def test_a_dialect_can_be_switched_off() -> None:
    with Sandbox(v2=False, collection=False, collection_status=405) as box:
        assert get(box, "/api/v2/persons").status == 404
        assert get(box, "/api/v2/personFields").status == 404
        assert get(box, "/v1/persons/collection").status == 405
        assert get(box, "/v1/leads").status == 200
        box.serve("v2", False, 501)
        assert get(box, "/api/v2/persons").status == 501
        box.serve("v2", True)
        assert get(box, "/api/v2/persons").status == 200


@pytest.mark.parametrize("path", ["/", "/v1/nothing", "/v2/persons", "/api/v2/leads", "/leads"])
def test_unknown_paths_are_json_404(box: Sandbox, path: str) -> None:
    reply = get(box, path)
    assert reply.status == 404
    assert reply.json["success"] is False


def test_only_reading_is_served(box: Sandbox) -> None:
    headers = {"x-api-token": box.token}
    assert ask(f"{box.url}/v1/leads", headers, post={"title": "x"}).status == 405
