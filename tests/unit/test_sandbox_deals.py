"""Deals, pipelines and stages: what v2 lists of them, and how they change."""

from collections.abc import Iterator
from typing import Any

import pytest
from sandbox_client import Row, cursor_pages, do, flat, get

from sources.sandbox import AccountError, Sandbox
from sources.sandbox.__main__ import parse
from sources.sandbox.truth import truth

OPEN, ARCHIVED = "/api/v2/deals", "/api/v2/deals/archived"


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(persons=12, organizations=5, leads=8, archived_leads=3, deals=9) as box:
        yield box


def deals(box: Sandbox, path: str = OPEN, **params: object) -> dict[int, Row]:
    return {row["id"]: row for row in get(box, path, limit=500, **params).data}


def of_truth(box: Sandbox, table: str = "deals") -> dict[int, Row]:
    return {row["id"]: row for row in truth(box.account)[table]}


def now(box: Sandbox) -> str:
    return f"{box.account.now:%Y-%m-%dT%H:%M:%SZ}"


def test_the_two_lists_share_the_deals_of_the_truth(box: Sandbox) -> None:
    open_ones, archived = deals(box), deals(box, ARCHIVED)
    assert (len(open_ones), len(archived)) == (9, 2)
    assert not any(row["is_archived"] or row["archive_time"] for row in open_ones.values())
    assert all(row["is_archived"] and row["archive_time"] for row in archived.values())
    names = {"organization_id": "org_id"}
    told = of_truth(box)
    assert told.keys() == open_ones.keys() | archived.keys()
    for deal_id, row in (open_ones | archived).items():
        expected = told[deal_id]
        for key in expected.keys() - {"value", "custom", "source_lead_id"}:
            assert row[names.get(key, key)] == expected[key], key
        assert (row["value"], row["currency"]) == (
            float(expected["value"]["amount"]),
            expected["value"]["currency"],
        )


def test_a_fresh_account_has_deals_of_every_kind(box: Sandbox) -> None:
    every = list(of_truth(box).values())
    assert {deal["status"] for deal in every} == {"open", "won", "lost"}
    for deal in every:
        assert (deal["won_time"] is not None) == (deal["status"] == "won")
        assert (deal["lost_time"] is not None) == (deal["status"] == "lost")
        assert (deal["close_time"] is None) == (deal["status"] == "open")
        assert (deal["lost_reason"] is not None) == (deal["status"] == "lost")
    labels = {label["id"] for label in truth(box.account)["labels"]["deal"]}
    used = {label for deal in every for label in deal["label_ids"]}
    assert used
    assert used <= labels
    stages = of_truth(box, "stages")
    assert all(stages[deal["stage_id"]]["pipeline_id"] == deal["pipeline_id"] for deal in every)
    assert {deal["pipeline_id"] for deal in every} == {1, 2}
    archived = [deal for deal in every if deal["is_archived"]]
    assert any(deal["custom"] for deal in archived)


def test_more_deals_change_no_lead_person_or_organization() -> None:
    with Sandbox() as few, Sandbox(archived_deals=50) as many:
        one, other = truth(few.account), truth(many.account)
        assert len(other["deals"]) == len(one["deals"]) + 48
        for table in ("persons", "organizations", "leads"):
            assert one[table] == other[table]


@pytest.mark.parametrize(
    ("path", "cost"), [(OPEN, 10), (ARCHIVED, 20), ("/api/v2/pipelines", 5), ("/api/v2/stages", 5)]
)
def test_the_lists_cost_what_the_specification_says(box: Sandbox, path: str, cost: int) -> None:
    assert get(box, path).status == 200
    assert box.tokens_spent == cost
    box.serve("v2", False)
    assert get(box, path).status == 404


@pytest.mark.parametrize("field", ["id", "update_time", "add_time"])
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_cursor_pages_give_each_deal_once_in_order(field: str, direction: str) -> None:
    order = {"sort_by": field, "sort_direction": direction}
    with Sandbox(deals=23, archived_deals=17) as box:
        for path, count in ((OPEN, 23), (ARCHIVED, 17)):
            rows = flat(cursor_pages(box, path, limit=4, **order))
            assert len({row["id"] for row in rows}) == count
            values = [row[field] for row in rows]
            assert values == sorted(values, reverse=direction == "desc")


@pytest.mark.parametrize("path", [OPEN, ARCHIVED])
def test_windows_include_their_start_and_not_their_end(path: str) -> None:
    with Sandbox(deals=30, archived_deals=30) as box:
        times = sorted(row["update_time"] for row in deals(box, path).values())
        window = {"updated_since": times[5], "updated_until": times[20]}
        inside = [row["update_time"] for row in deals(box, path, **window).values()]
        assert sorted(inside) == [time for time in times if times[5] <= time < times[20]]


@pytest.mark.parametrize(
    ("parameter", "key"),
    [(x, x) for x in ("owner_id", "org_id", "person_id", "pipeline_id", "stage_id", "status")],
)
def test_deals_are_narrowed(box: Sandbox, parameter: str, key: str) -> None:
    for path in (OPEN, ARCHIVED):
        every = deals(box, path)
        wanted = next(row[key] for row in every.values() if row[key] is not None)
        expected = {x for x, row in every.items() if row[key] == wanted}
        assert deals(box, path, **{parameter: wanted}).keys() == expected
    assert deals(box, ids="2,4,999").keys() == {2, 4}


def test_statuses_add_up_and_deleted_ones_stay_for_thirty_days(box: Sandbox) -> None:
    every = deals(box)
    won_or_lost = {x for x, row in every.items() if row["status"] in ("won", "lost")}
    assert deals(box, status="won,lost").keys() == won_or_lost
    archived = next(iter(deals(box, ARCHIVED)))
    box.account.delete("deal", 1, archived)
    assert 1 not in deals(box)
    assert archived not in deals(box, ARCHIVED)
    assert deals(box, status="won,lost,deleted").keys() == (won_or_lost | {1})
    (row,) = deals(box, status="deleted").values()
    assert (row["id"], row["is_deleted"], row["status"]) == (1, True, "deleted")
    assert row["update_time"] == now(box)
    assert deals(box, ARCHIVED, status="deleted").keys() == {archived}
    box.account.advance(30 * 86_400 + 1)
    assert deals(box, status="deleted") == {}


def test_the_source_lead_comes_when_it_is_asked_for(box: Sandbox) -> None:
    lead_id = next(iter(box.account.leads))
    deal_id = box.account.convert_lead(lead_id)
    asked = deals(box, include_fields="products_count,source_lead_id")
    assert asked[deal_id]["source_lead_id"] == lead_id
    assert asked[1]["source_lead_id"] is None
    assert "source_lead_id" not in deals(box)[deal_id]
    box.account.archive_deal(deal_id)
    asked = deals(box, ARCHIVED, include_fields="source_lead_id")
    assert asked[deal_id]["source_lead_id"] == lead_id


@pytest.mark.parametrize(
    ("path", "params"),
    [
        (OPEN, {"status": "wombat"}),
        (OPEN, {"status": "open,"}),
        (OPEN, {"is_deleted": "false"}),
        (OPEN, {"updated_since": "2026-01-01T00:00:00.000Z"}),
        (OPEN, {"sort_by": "title"}),
        (OPEN, {"limit": "501"}),
        (ARCHIVED, {"include_labels": "true"}),
        ("/api/v2/pipelines", {"updated_since": "2026-01-01T00:00:00Z"}),
        ("/api/v2/pipelines", {"pipeline_id": "1"}),
        ("/api/v2/pipelines", {"sort_by": "order_nr"}),
        ("/api/v2/stages", {"updated_since": "2026-01-01T00:00:00Z"}),
        ("/api/v2/stages", {"ids": "1"}),
    ],
)
def test_v2_refuses_what_it_does_not_take(box: Sandbox, path: str, params: dict[str, str]) -> None:
    assert get(box, path, **params).status == 400


def test_what_pipedrive_takes_and_the_sandbox_does_not_is_said(box: Sandbox) -> None:
    assert get(box, OPEN, include_labels="true").status == 501
    assert get(box, ARCHIVED, filter_id=1).status == 501


def test_pipelines_and_stages_are_listed(box: Sandbox) -> None:
    pipelines = get(box, "/api/v2/pipelines").data
    stages = get(box, "/api/v2/stages").data
    assert [{**row, "is_deleted": False} for row in truth(box.account)["pipelines"]] == pipelines
    assert [{**row, "is_deleted": False} for row in truth(box.account)["stages"]] == stages
    assert len(pipelines) == 2
    assert pipelines[0]["update_time"] is None
    second = [stage for stage in stages if stage["pipeline_id"] == 2]
    assert get(box, "/api/v2/stages", pipeline_id=2).data == second
    assert flat(cursor_pages(box, "/api/v2/stages", limit=3)) == stages
    by_place = flat(cursor_pages(box, "/api/v2/stages", limit=3, sort_by="order_nr"))
    assert by_place == sorted(stages, key=lambda stage: stage["order_nr"])
    names = [stage["name"] for stage in stages]
    assert len(set(names)) < len(names), "a name is in both pipelines"


def test_winning_losing_and_reopening_keep_status_and_times_in_step(box: Sandbox) -> None:
    deal_id = next(x for x, row in deals(box).items() if row["status"] == "open")
    box.account.edit("deal", deal_id, status="won")
    row = deals(box)[deal_id]
    assert (row["won_time"], row["close_time"], row["lost_time"]) == (now(box), now(box), None)
    assert row["update_time"] == now(box)
    box.account.edit("deal", deal_id, status="lost", lost_reason="Too late")
    row = deals(box)[deal_id]
    assert (row["won_time"], row["close_time"], row["lost_time"]) == (None, now(box), now(box))
    assert row["lost_reason"] == "Too late"
    box.account.edit("deal", deal_id, status="open")
    row = deals(box)[deal_id]
    assert [row[x] for x in ("won_time", "close_time", "lost_time", "lost_reason")] == [None] * 4
    box.account.edit("deal", deal_id, status="won", won_time="2026-01-02T03:04:05Z")
    assert deals(box)[deal_id]["won_time"] == "2026-01-02T03:04:05Z"
    assert deals(box)[deal_id]["local_won_date"] == "2026-01-02"


def test_a_stage_brings_its_pipeline_and_a_pipeline_its_first_stage(box: Sandbox) -> None:
    box.account.edit("deal", 1, stage_id=7)
    row = deals(box)[1]
    assert (row["stage_id"], row["pipeline_id"]) == (7, 2)
    assert row["stage_change_time"] == now(box)
    box.account.edit("deal", 1, pipeline_id=1)
    assert (deals(box)[1]["stage_id"], deals(box)[1]["pipeline_id"]) == (1, 1)
    before = deals(box)[1]["stage_change_time"]
    box.account.edit("deal", 1, title="The same place", stage_id=1)
    assert deals(box)[1]["stage_change_time"] == before


def test_a_new_deal_begins_at_the_first_stage_and_is_worth_something(box: Sandbox) -> None:
    deal_id = box.account.create("deal", title="New", person_id=3)
    row = deals(box)[deal_id]
    assert (row["pipeline_id"], row["stage_id"], row["status"]) == (1, 1, "open")
    assert (row["value"], row["currency"], row["stage_change_time"]) == (0, "EUR", None)
    elsewhere = box.account.create("deal", pipeline_id=2, status="won")
    assert deals(box)[elsewhere]["stage_id"] == 6
    assert deals(box)[elsewhere]["won_time"] == now(box)


@pytest.mark.parametrize("moves", [True, False])
def test_archiving_moves_a_deal_between_the_lists(moves: bool) -> None:
    with Sandbox(archived_deals=0, archive_moves_update_time=moves) as box:
        before = deals(box)[2]
        box.account.archive_deal(2)
        assert 2 not in deals(box)
        row = deals(box, ARCHIVED)[2]
        assert (row["is_archived"], row["archive_time"]) == (True, now(box))
        assert row["status"] == before["status"]
        assert (row["update_time"] > before["update_time"]) == moves
        box.account.unarchive_deal(2)
        row = deals(box)[2]
        assert (row["is_archived"], row["archive_time"]) == (False, None)
        assert (row["update_time"] > before["update_time"]) == moves
        assert deals(box, ARCHIVED) == {}


def test_a_converted_lead_becomes_a_deal_at_the_first_stage(box: Sandbox) -> None:
    lead = next(x for x in box.account.leads.values() if x.value and x.custom)
    deal_id = box.account.convert_lead(lead.id)
    deal = of_truth(box)[deal_id]
    assert (deal["pipeline_id"], deal["stage_id"], deal["status"]) == (1, 1, "open")
    assert deal["value"] == {"amount": str(lead.value.value), "currency": lead.value.currency}
    assert deal["custom"]
    assert deal["expected_close_date"] == lead.expected_close_date


def test_merged_deals_leave_the_survivor(box: Sandbox) -> None:
    box.account.edit("deal", 1, label_ids=[], person_id=None)
    loser = box.account.deals[3]
    labels, person_id = loser.label_ids, loser.person_id
    box.account.merge("deal", 3, 1)
    assert 3 not in deals(box)
    row = deals(box)[1]
    assert (row["label_ids"], row["person_id"]) == (labels, person_id)
    assert row["update_time"] == now(box)
    assert box.account.deals[3].merged_into == 1


def test_pipelines_and_stages_change_and_a_deleted_pipeline_takes_its_stages(box: Sandbox) -> None:
    account = box.account
    account.edit("stage", 2, name="Called")
    pipeline_id = account.create("pipeline", name="Partners")
    stage_id = account.create("stage", name="Met", pipeline_id=pipeline_id)
    stages = {row["id"]: row for row in get(box, "/api/v2/stages").data}
    assert stages[2]["name"] == "Called"
    assert (stages[stage_id]["pipeline_id"], stages[stage_id]["order_nr"]) == (pipeline_id, 1)
    assert [row["order_nr"] for row in get(box, "/api/v2/pipelines").data] == [1, 2, 3]
    account.delete("pipeline", 2)
    assert [row["id"] for row in get(box, "/api/v2/pipelines").data] == [1, pipeline_id]
    assert get(box, "/api/v2/stages", pipeline_id=2).data == []
    assert [row["id"] for row in truth(account)["pipelines"]] == [1, pipeline_id]


def test_deals_change_over_the_control_interface(box: Sandbox) -> None:
    do(box, "archive_deal", id=1)
    assert 1 in deals(box, ARCHIVED)
    do(box, "unarchive_deal", id=1)
    do(box, "edit", entity="deal", id=1, status="lost", lost_reason=None)
    assert deals(box)[1]["status"] == "lost"
    do(box, "merge", entity="deal", loser_id=2, survivor_id=1)
    do(box, "delete", entity="deal", id=1)
    do(box, "restore", entity="deal", id=1)
    assert deals(box).keys() & {1, 2} == {1}
    assert do(box, "create", entity="deal", title="By hand", stage_id=7) == 12
    assert deals(box)[12]["pipeline_id"] == 2


def test_changes_of_deals_that_cannot_be_made_are_errors(box: Sandbox) -> None:
    account = box.account
    wrong_changes: list[Any] = [
        lambda: account.edit("deal", 1, status="wombat"),
        lambda: account.edit("deal", 1, stage_id=99),
        lambda: account.edit("deal", 1, stage_id=7, pipeline_id=1),
        lambda: account.edit("deal", 1, pipeline_id=9),
        lambda: account.create("deal", pipeline_id=9),
        lambda: account.merge("deal", 1, 1),
        lambda: account.merge("stage", 1, 2),
        lambda: account.archive_deal(99),
        lambda: account.edit("stage", 1, custom={"x": 1}),
        lambda: account.add_field("stage", "x"),
    ]
    before = truth(account)["deals"]
    for wrong in wrong_changes:
        with pytest.raises(AccountError):
            wrong()
    assert truth(account)["deals"] == before


def test_six_changes_of_life_are_about_leads_and_later_ones_about_deals_too() -> None:
    with Sandbox(persons=12, leads=8, archived_leads=3) as box:
        sentences = box.account.live(28)
        assert not any("deal" in sentence for sentence in sentences[:6])
        assert any(sentence.startswith("won the deal") for sentence in sentences)
        assert any(sentence.startswith("archived the deal") for sentence in sentences)


def test_the_command_line_takes_the_options_of_deals() -> None:
    line = "--archived-deals 9 --recents-gone list --merge-what-id survivor"
    options = parse(line.split())
    assert (options.archived_deals, options.recents_gone) == (9, "list")
    assert options.merge_what_id == "survivor"
