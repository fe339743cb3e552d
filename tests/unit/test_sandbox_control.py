"""The control interface: the account's life and the truth by HTTP."""

from collections.abc import Iterator

import pytest
from sandbox_client import ask, do, get

from sources.sandbox import Account, Sandbox
from sources.sandbox.control import ACCOUNT_ACTIONS, SANDBOX_ACTIONS
from sources.sandbox.truth import truth


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(persons=12, organizations=3, leads=5) as box:
        yield box


def test_the_truth_by_http_is_the_truth(box: Sandbox) -> None:
    assert ask(f"{box.url}/_sandbox/truth").json == truth(box.account)


def test_changes_by_http_are_made(box: Sandbox) -> None:
    lead_id = get(box, "/v1/leads").data[0]["id"]
    do(box, "archive_lead", id=lead_id)
    assert box.account.leads[lead_id].is_archived
    do(box, "edit", entity="person", id=1, name="One")
    do(box, "edit", entity="person", ids=[2, 3], name="Many")
    assert [box.account.persons[x].name for x in (1, 2, 3)] == ["One", "Many", "Many"]
    key = do(box, "add_field", entity="person", name="Mood", field_type="enum", options=["good"])
    option = do(box, "add_option", entity="person", key=key, label="bad")
    do(box, "edit", entity="person", id=1, custom={key: option})
    assert do(box, "create", entity="organization", name="Org") == 4
    do(box, "merge", entity="person", loser_id=2, survivor_id=3)
    deal_id = do(box, "convert_lead", id=get(box, "/v1/leads").data[0]["id"])
    assert do(box, "convert_deal_to_lead", id=deal_id) in box.account.leads
    assert len(do(box, "live", changes=5)) == 5
    do(box, "set_admin", is_admin=False)
    assert get(box, "/v1/persons/collection").status == 403


def test_faults_and_dialects_by_http(box: Sandbox) -> None:
    do(box, "fault", path="leads", kind="status", times=None, code=502)
    assert get(box, "/v1/leads").status == 502
    do(box, "clear_faults")
    assert get(box, "/v1/leads").status == 200
    do(box, "serve", api="v2", is_served=False)
    assert get(box, "/api/v2/persons").status == 404
    do(box, "set_daily_tokens", tokens=0)
    assert get(box, "/v1/leads").status == 429


@pytest.mark.parametrize(
    "post",
    [
        {"action": "explode"},
        {"action": "archive_lead"},
        {"action": "archive_lead", "id": "nothing"},
        {"action": "edit", "entity": "person", "id": 1, "nmae": "x"},
        {"action": "rename_field", "entity": "person", "key": "x", "name": "y", "more": 1},
        {"action": "fault", "path": "*", "kind": "quake"},
        {},
        [],
    ],
)
def test_wrong_requests_are_explained(box: Sandbox, post: object) -> None:
    reply = ask(f"{box.url}/_sandbox/do", post=post)
    assert reply.status == 400
    assert reply.json["error"]


def test_the_log_has_what_was_asked_and_never_the_token(box: Sandbox) -> None:
    get(box, "/v1/leads", limit=3)
    ask(f"{box.url}/v1/users?api_token={box.token}")
    log = ask(f"{box.url}/_sandbox/requests")
    assert log.json == [
        {"method": "GET", "path": "/v1/leads", "params": {"limit": "3"}, "status": 200, "cost": 20},
        {"method": "GET", "path": "/v1/users", "params": {}, "status": 401, "cost": 0},
    ]
    assert box.token not in log.body.decode()


def test_the_state_tells_clock_tokens_and_sizes(box: Sandbox) -> None:
    do(box, "advance", seconds=60)
    get(box, "/v1/leads")
    state = ask(f"{box.url}/_sandbox/state").json
    assert state["now"] == "2026-06-01T08:01:00+00:00"
    assert (state["tokens_spent"], state["requests"]) == (20, 1)
    assert state["records"]["person"] == 12


def test_every_action_is_a_method() -> None:
    assert all(callable(getattr(Account, name)) for name in ACCOUNT_ACTIONS)
    assert all(callable(getattr(Sandbox, name)) for name in SANDBOX_ACTIONS)


def test_control_paths_that_do_not_exist_are_404(box: Sandbox) -> None:
    assert ask(f"{box.url}/_sandbox/nothing").status == 404
