"""What the truth remembers of records that are gone, and what `recents` says of them."""

from collections.abc import Iterator
from typing import Any

import pytest
from sandbox_client import Row, get

from sources.sandbox import AccountError, Sandbox
from sources.sandbox.truth import truth


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(persons=12, organizations=5, leads=8, archived_leads=3) as box:
        yield box


def gone(box: Sandbox, table: str) -> list[Row]:
    found: list[Row] = truth(box.account)["gone"][table]
    return found


def now(box: Sandbox) -> str:
    return f"{box.account.now:%Y-%m-%dT%H:%M:%SZ}"


def recents(box: Sandbox, since: Any, **params: object) -> list[Row]:
    moment = f"{since:%Y-%m-%d %H:%M:%S}"
    return get(box, "/v1/recents", since_timestamp=moment, limit=500, **params).data or []


def test_nothing_is_gone_at_the_start(box: Sandbox) -> None:
    assert truth(box.account)["gone"] == {
        "persons": [],
        "organizations": [],
        "deals": [],
        "leads": [],
    }


@pytest.mark.parametrize(
    ("entity", "table"),
    [("person", "persons"), ("organization", "organizations"), ("deal", "deals")],
)
def test_deleted_and_merged_records_are_gone_until_they_are_restored(
    box: Sandbox, entity: Any, table: str
) -> None:
    box.account.delete(entity, 2)
    more = {"converted_lead_id": None} if entity == "deal" else {}
    deleted = {"id": 2, "deleted_time": now(box), "merged_into": None, **more}
    assert gone(box, table) == [deleted]
    box.account.merge(entity, 3, 1)
    merged = {"id": 3, "deleted_time": now(box), "merged_into": 1, **more}
    assert gone(box, table) == [deleted, merged]
    assert not {2, 3} & {row["id"] for row in truth(box.account)[table]}
    box.account.restore(entity, 2)
    box.account.restore(entity, 3)
    assert gone(box, table) == []
    assert {2, 3} <= {row["id"] for row in truth(box.account)[table]}


def test_leads_are_remembered_when_they_are_deleted_or_converted(box: Sandbox) -> None:
    deleted, converted, *_ = box.account.leads
    box.account.delete("lead", deleted)
    first = {
        "id": deleted,
        "deleted_time": now(box).replace("Z", ".000Z"),
        "converted_deal_id": None,
    }
    deal_id = box.account.convert_lead(converted)
    second = {
        "id": converted,
        "deleted_time": now(box).replace("Z", ".000Z"),
        "converted_deal_id": deal_id,
    }
    assert gone(box, "leads") == [first, second]
    for lead_id in (deleted, converted):
        with pytest.raises(AccountError):
            box.account.restore("lead", lead_id)


def test_a_deal_that_became_a_lead_names_it(box: Sandbox) -> None:
    lead_id = box.account.convert_deal_to_lead(2)
    row = {"id": 2, "deleted_time": now(box), "merged_into": None, "converted_lead_id": lead_id}
    assert gone(box, "deals") == [row]
    box.account.restore("deal", 2)
    assert gone(box, "deals") == []


def test_hidden_records_are_neither_there_nor_gone(box: Sandbox) -> None:
    box.account.delete("person", 1, 2)
    box.account.delete("lead", *list(box.account.leads)[:2])
    for entity, table in (("person", "persons"), ("lead", "leads")):
        assert len(gone(box, table)) == 2
        box.account.set_visibility(entity, 1.0)
        assert gone(box, table) == truth(box.account)[table] == []
        box.account.set_visibility(entity, 0)
        assert len(gone(box, table)) == 2


def test_recents_tell_of_deals_only_when_they_are_asked(box: Sandbox) -> None:
    since = box.account.now
    custom = next(deal.id for deal in box.account.deals.values() if deal.custom)
    box.account.edit("deal", custom, visible_to=5)
    box.account.archive_deal(2)
    box.account.edit("person", 1, name="Somebody")
    box.account.delete("deal", 3)
    assert [row["item"] for row in recents(box, since)] == ["person"]
    rows = recents(box, since, items="person,deal")
    assert [(row["item"], row["id"]) for row in rows] == [
        ("deal", custom),
        ("deal", 2),
        ("person", 1),
        ("deal", 3),
    ]
    edited, archived, _, deleted = (row["data"] for row in rows)
    nickname = box.account.field_named("deal", "Nickname").key
    assert edited[nickname] == box.account.deals[custom].custom[nickname]
    assert (edited["deleted"], edited["is_archived"], edited["visible_to"]) == (False, False, "5")
    assert (archived["deleted"], archived["is_archived"]) == (False, True)
    assert (deleted["deleted"], deleted["active"], deleted["status"]) == (True, False, "deleted")
    assert deleted["update_time"] == f"{box.account.now:%Y-%m-%d %H:%M:%S}"


@pytest.mark.parametrize("form", ["row", "null", "list"])
def test_deleted_records_in_recents_look_as_the_option_says(form: str) -> None:
    with Sandbox(persons=5, recents_gone=form) as box:
        since = box.account.now
        box.account.edit("person", 1, name="Still here")
        box.account.delete("person", 2)
        box.account.delete("deal", 1)
        here, *others = (row["data"] for row in recents(box, since, items="person,deal"))
        assert here["active_flag"] is True
        if form == "null":
            assert others == [None, None]
            return
        person, deal = (other[0] if form == "list" else other for other in others)
        assert (person["id"], person["active_flag"]) == (2, False)
        assert (deal["id"], deal["deleted"]) == (1, True)


@pytest.mark.parametrize("entity", ["person", "organization", "deal"])
@pytest.mark.parametrize("carrier", ["loser", "survivor"])
def test_one_of_two_merged_records_names_the_other(entity: Any, carrier: str) -> None:
    with Sandbox(persons=5, organizations=5, merge_what_id=carrier) as box:
        since = box.account.now
        box.account.merge(entity, 3, 1)
        rows = recents(box, since, items=entity)
        named = {row["id"]: row["data"].get("merge_what_id") for row in rows}
        assert named[3] == (1 if carrier == "loser" else None)
        assert named[1] == (3 if carrier == "survivor" else None)


def test_a_survivor_names_the_last_that_went_into_it() -> None:
    with Sandbox(persons=5, merge_what_id="survivor") as box:
        since = box.account.now
        box.account.merge("person", 4, 1)
        box.account.merge("person", 3, 1)
        named = {
            row["id"]: row["data"].get("merge_what_id")
            for row in recents(box, since, items="person")
        }
        assert named == {4: None, 3: None, 1: 3}
