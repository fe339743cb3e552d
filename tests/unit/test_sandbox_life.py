"""Every change of an account does what it says, to the truth and to what the API shows."""

from collections.abc import Iterator
from typing import Any

import pytest
from sandbox_client import Row, flat, get, offset_pages

from sources.sandbox import AccountError, Sandbox
from sources.sandbox.truth import truth


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(persons=12, organizations=5, leads=8, archived_leads=3) as box:
        yield box


def person(box: Sandbox, person_id: int) -> Row:
    rows = get(box, "/api/v2/persons", ids=person_id).data
    return rows[0] if rows else {}


def leads(box: Sandbox, path: str = "/v1/leads") -> dict[str, Row]:
    return {row["id"]: row for row in get(box, path, limit=500).data}


def changed_since(box: Sandbox, moment: Any) -> list[int]:
    since = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    return [row["id"] for row in get(box, "/api/v2/persons", updated_since=since).data]


def test_edit_changes_values_and_moves_update_time(box: Sandbox) -> None:
    before = box.account.now
    key = box.account.field_named("person", "Budget").key
    box.account.edit(
        "person",
        3,
        name="Ann Other",
        organization_id=2,
        emails=[{"value": "a@example.com", "label": "work", "primary": True}],
        custom={key: {"value": "12.34", "currency": "EUR"}},
    )
    row = person(box, 3)
    assert row["name"] == "Ann Other"
    assert row["org_id"] == 2
    assert row["emails"] == [{"label": "work", "value": "a@example.com", "primary": True}]
    assert row["custom_fields"][key] == {"value": 12.34, "currency": "EUR"}
    assert row["update_time"] == f"{box.account.now:%Y-%m-%dT%H:%M:%SZ}"
    assert changed_since(box, before) == [3]
    box.account.edit("person", 3, custom={key: None})
    assert person(box, 3)["custom_fields"][key] is None


def test_several_records_change_in_one_second(box: Sandbox) -> None:
    box.account.edit("person", 1, 2, 3, visible_to=7)
    with box.account.same_moment():
        box.account.edit("person", 4, visible_to=7)
        box.account.edit("person", 5, visible_to=7)
    times = [person(box, x)["update_time"] for x in range(1, 6)]
    assert len(set(times[:3])) == len(set(times[3:])) == 1
    assert times[0] < times[3]


def test_update_time_can_be_taken_away_and_given(box: Sandbox) -> None:
    box.account.edit("person", 1, update_time=None)
    box.account.edit("person", 2, update_time="2020-01-01T00:00:00Z")
    assert person(box, 1)["update_time"] is None
    assert person(box, 2)["update_time"] == "2020-01-01T00:00:00Z"


def test_create(box: Sandbox) -> None:
    person_id = box.account.create("person", name="New One", first_name="New", owner_id=7)
    assert person_id == 13
    assert person(box, 13)["name"] == "New One"
    lead_id = box.account.create(
        "lead", title="Big", person_id=13, value={"amount": "99.90", "currency": "EUR"}
    )
    lead = leads(box)[lead_id]
    assert lead["value"] == {"amount": 99.9, "currency": "EUR"}
    assert lead["add_time"] == lead["update_time"]
    assert lead["update_time"][-5:] != ".000Z"


@pytest.mark.parametrize("moves", [True, False])
def test_archive_and_unarchive_move_a_lead_between_the_lists(moves: bool) -> None:
    with Sandbox(leads=3, archived_leads=0, archive_moves_update_time=moves) as box:
        lead_id, before = next(iter(leads(box).items()))
        box.account.archive_lead(lead_id)
        assert lead_id not in leads(box)
        archived = leads(box, "/v1/leads/archived")[lead_id]
        assert archived["is_archived"] is True
        assert archived["archive_time"] is not None
        assert (archived["update_time"] > before["update_time"]) == moves
        box.account.unarchive_lead(lead_id)
        after = leads(box)[lead_id]
        assert (after["is_archived"], after["archive_time"]) == (False, None)
        assert leads(box, "/v1/leads/archived") == {}


def test_a_converted_lead_becomes_a_deal_and_vanishes(box: Sandbox) -> None:
    lead_id = next(iter(leads(box)))
    title = leads(box)[lead_id]["title"]
    custom = dict(box.account.leads[lead_id].custom)
    deal_id = box.account.convert_lead(lead_id)
    assert lead_id not in leads(box)
    deal = get(box, "/api/v2/deals", ids=deal_id, include_fields="source_lead_id").data[0]
    assert (deal["title"], deal["source_lead_id"]) == (title, lead_id)
    assert "source_lead_id" not in get(box, "/api/v2/deals", ids=deal_id).data[0]
    assert box.account.deals[deal_id].custom == custom
    back = box.account.convert_deal_to_lead(deal_id)
    assert leads(box)[back]["source_deal_id"] == deal_id
    assert get(box, "/api/v2/deals", ids=deal_id).data == []


def test_delete_and_restore(box: Sandbox) -> None:
    since = f"{box.account.now:%Y-%m-%d %H:%M:%S}"
    box.account.delete("person", 4)
    assert person(box, 4) == {}
    assert 4 not in [x["id"] for x in get(box, "/v1/persons/collection").data]
    assert 4 not in [x["id"] for x in truth(box.account)["persons"]]
    recent = get(box, "/v1/recents", since_timestamp=since, items="person").data
    assert [(x["id"], x["data"]["active_flag"]) for x in recent] == [(4, False)]
    box.account.restore("person", 4)
    assert person(box, 4)["id"] == 4
    lead_id = next(iter(leads(box)))
    box.account.delete("lead", lead_id)
    with pytest.raises(AccountError):
        box.account.restore("lead", lead_id)


def test_the_loser_of_a_merge_vanishes_and_the_survivor_changes(box: Sandbox) -> None:
    since = f"{box.account.now:%Y-%m-%d %H:%M:%S}"
    before = box.account.now
    held = [x.id for x in box.account.leads.values() if x.person_id == 5]
    box.account.edit("lead", *held, person_id=6)
    mine = box.account.create("lead", title="His", person_id=5)
    box.account.merge("person", 5, 6)
    assert person(box, 5) == {}
    assert changed_since(box, before) == [6]
    assert box.account.leads[mine].person_id == 6
    recent = get(box, "/v1/recents", since_timestamp=since, items="person").data
    assert {x["id"]: x["data"].get("merge_what_id") for x in recent} == {5: 6, 6: None}


def test_hidden_records_look_deleted(box: Sandbox) -> None:
    since = f"{box.account.now:%Y-%m-%d %H:%M:%S}"
    hidden = box.account.set_visibility("person", 0.5)
    assert 0 < hidden < 12
    rows = get(box, "/api/v2/persons").data
    assert len(rows) == len(truth(box.account)["persons"]) == 12 - hidden
    gone = (set(range(1, 13)) - {row["id"] for row in rows}).pop()
    box.account.edit("person", gone, name="Unseen")
    recent = get(box, "/v1/recents", since_timestamp=since).data
    assert recent == [{"item": "person", "id": gone, "data": None}]
    box.account.set_visibility("person", 0)
    assert len(get(box, "/api/v2/persons").data) == 12


def definitions(box: Sandbox, entity: str = "person") -> dict[str, Row]:
    rows = flat(offset_pages(box, f"/v1/{entity}Fields", limit=500))
    return {row["key"]: row for row in rows}


def test_fields_are_added_renamed_and_deleted_without_touching_records(box: Sandbox) -> None:
    before = {row["id"]: row["update_time"] for row in get(box, "/api/v2/persons").data}
    key = box.account.add_field("person", "Shoe size", "monetary")
    assert definitions(box)[key]["name"] == "Shoe size"
    assert definitions(box)[f"{key}_currency"]["parent_id"] == definitions(box)[key]["id"]
    assert get(box, "/v1/persons/collection").data[0][f"{key}_currency"] is None
    box.account.rename_field("person", key, "Shoe")
    assert definitions(box)[key]["name"] == "Shoe"
    old = box.account.field_named("person", "Nickname").key
    assert person(box, 1)["custom_fields"][old] is not None
    box.account.delete_field("person", old)
    assert old not in definitions(box)
    assert old not in person(box, 1)["custom_fields"]
    assert {row["id"]: row["update_time"] for row in get(box, "/api/v2/persons").data} == before


def test_a_field_of_deals_shows_on_leads(box: Sandbox) -> None:
    key = box.account.add_field("deal", "Why", "enum", ["a", "b"])
    assert key in definitions(box, "lead")
    option = definitions(box, "lead")[key]["options"][1]["id"]
    lead_id = next(iter(leads(box)))
    box.account.edit("lead", lead_id, custom={key: option})
    rows = leads(box)
    assert rows[lead_id][key] == str(option)
    assert [x for x, row in rows.items() if key in row] == [lead_id]
    box.account.delete_field("deal", key)
    assert key not in leads(box)[lead_id]


def test_a_changed_type_keeps_what_fits(box: Sandbox) -> None:
    key = box.account.add_field("person", "Size")
    box.account.edit("person", 1, custom={key: "42.5"})
    box.account.edit("person", 2, custom={key: "large"})
    box.account.change_field_type("person", key, "double")
    assert definitions(box)[key]["field_type"] == "double"
    assert person(box, 1)["custom_fields"][key] == 42.5
    assert (person(box, 2)["custom_fields"] or {}).get(key) is None


def test_options_are_added_renamed_and_deleted(box: Sandbox) -> None:
    key = box.account.field_named("person", "Segment").key
    assert "options_deleted" not in definitions(box)[key]
    added = box.account.add_option("person", key, "Brand new")
    box.account.rename_option("person", key, added, "Newer")
    assert {"id": added, "label": "Newer"} in definitions(box)[key]["options"]
    box.account.edit("person", 1, custom={key: added})
    box.account.delete_option("person", key, added)
    assert definitions(box)[key]["options_deleted"] == [{"id": added, "label": "Newer"}]
    assert person(box, 1)["custom_fields"][key] == added
    label = box.account.add_option("person", "label_ids", "VIP")
    assert {"id": label, "label": "VIP"} in truth(box.account)["labels"]["person"]


def test_changes_that_cannot_be_made_are_errors(box: Sandbox) -> None:
    account = box.account
    for wrong in (
        lambda: account.edit("person", 99, name="x"),
        lambda: account.edit("person", 1, nmae="x"),
        lambda: account.edit("person", 1, custom={"nokey": 1}),
        lambda: account.edit("wombat", 1),  # type: ignore[arg-type]
        lambda: account.merge("person", 1, 1),
        lambda: account.rename_field("person", "nokey", "x"),
        lambda: account.add_field("person", "x", "wombat"),
        lambda: account.archive_lead("nolead"),
    ):
        with pytest.raises(AccountError):
            wrong()


def test_life_goes_on_in_plain_sentences(box: Sandbox) -> None:
    sentences = box.account.live(24)
    assert len(sentences) == 24
    for verb in ("archived", "created", "converted", "deleted", "merged", "renamed the option"):
        assert any(sentence.startswith(verb) for sentence in sentences)
    assert all(get(box, path).status == 200 for path in ("/v1/leads", "/api/v2/persons"))
