"""Each of the three ways to page gives every row once, in the order that was asked for."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from sandbox_client import cursor_pages, flat, get, offset_pages

from sources.sandbox import Sandbox


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(persons=53, organizations=21, leads=37, archived_leads=11) as box:
        yield box


@pytest.mark.parametrize("prefix", ["/v1", "/api/v1"])
@pytest.mark.parametrize(("path", "archived"), [("/leads", False), ("/leads/archived", True)])
def test_offset_pages_give_each_lead_once(
    box: Sandbox, prefix: str, path: str, archived: bool
) -> None:
    pages = list(offset_pages(box, prefix + path, limit=4))
    ids = [row["id"] for page in pages for row in page]
    assert all(len(page) <= 4 for page in pages)
    assert len(ids) == len(set(ids)) == (11 if archived else 37)
    assert {row["is_archived"] for page in pages for row in page} == {archived}


def test_leads_come_oldest_created_first_by_default(box: Sandbox) -> None:
    times = [row["add_time"] for row in get(box, "/v1/leads", limit=500).data]
    assert times == sorted(times)


def test_leads_are_sorted_by_several_fields(box: Sandbox) -> None:
    rows = get(box, "/v1/leads", limit=500, sort="was_seen DESC, update_time ASC").data
    assert rows == sorted(rows, key=lambda row: (not row["was_seen"], row["update_time"]))


@pytest.mark.parametrize("field", ["id", "update_time", "add_time"])
@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("entity", ["persons", "organizations"])
def test_v2_cursor_pages_give_each_row_once_in_order(
    box: Sandbox, entity: str, field: str, direction: str
) -> None:
    order = {"sort_by": field, "sort_direction": direction}
    rows = flat(cursor_pages(box, f"/api/v2/{entity}", limit=4, **order))
    assert rows == get(box, f"/api/v2/{entity}", limit=500, **order).data
    assert len({row["id"] for row in rows}) == (53 if entity == "persons" else 21)
    values = [row[field] for row in rows]
    assert values == sorted(values, reverse=direction == "desc")
    if field == "update_time":
        ties = [(a, b) for a, b in pairwise(rows) if a[field] == b[field]]
        assert ties, "an account has rows that share one second"
        assert all(a["id"] < b["id"] for a, b in ties)


@pytest.mark.parametrize("entity", ["persons", "organizations"])
def test_collection_pages_give_each_row_once(box: Sandbox, entity: str) -> None:
    ids = [row["id"] for row in flat(cursor_pages(box, f"/v1/{entity}/collection", limit=4))]
    assert ids == list(range(1, len(ids) + 1))
    assert len(ids) == (53 if entity == "persons" else 21)


@pytest.mark.parametrize(
    ("path", "since", "until"),
    [
        ("/api/v2/persons", "updated_since", "updated_until"),
        ("/v1/persons/collection", "since", "until"),
    ],
)
def test_windows_include_their_start_and_not_their_end(
    box: Sandbox, path: str, since: str, until: str
) -> None:
    times = sorted(person.update_time for person in box.account.persons.values())
    first, last = times[10], times[40]
    window = {since: f"{first:%Y-%m-%dT%H:%M:%SZ}", until: f"{last:%Y-%m-%dT%H:%M:%SZ}"}
    rows = flat(cursor_pages(box, path, limit=5, **window))
    expected = {x.id for x in box.account.persons.values() if first <= x.update_time < last}
    assert {row["id"] for row in rows} == expected
    assert len(rows) == len(expected)


def test_collection_takes_times_with_a_space_or_in_iso_form(box: Sandbox) -> None:
    answers = [
        get(box, "/v1/persons/collection", since=since, limit=500).data
        for since in ("2025-06-01 00:00:00", "2025-06-01T00:00:00Z", "2025-06-01T00:00:00.000Z")
    ]
    assert answers[0] == answers[1] == answers[2] != []


def test_updated_since_of_leads_compares_milliseconds_and_includes_the_equal(box: Sandbox) -> None:
    rows = get(box, "/v1/leads", limit=500, sort="update_time ASC").data
    middle = rows[20]["update_time"]
    since = get(box, "/v1/leads", limit=500, sort="update_time ASC", updated_since=middle).data
    assert since == [row for row in rows if row["update_time"] >= middle]


def test_archived_leads_ignore_updated_since(box: Sandbox) -> None:
    assert len(get(box, "/v1/leads/archived", updated_since="2030-01-01T00:00:00Z").data) == 11


@pytest.mark.parametrize("entity", ["person", "organization", "deal"])
def test_both_field_lists_page_and_name_the_same_fields_in_the_same_order(
    box: Sandbox, entity: str
) -> None:
    v1 = flat(offset_pages(box, f"/v1/{entity}Fields", limit=7))
    v2 = flat(cursor_pages(box, f"/api/v2/{entity}Fields", limit=7))
    assert [row["key"] for row in v1 if row["id"]] == [row["field_code"] for row in v2]
    assert len({row["key"] for row in v1}) == len(v1)


@pytest.mark.parametrize("nulls", ["first", "last"])
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_rows_without_update_time_are_sorted_but_match_no_window(
    nulls: str, direction: str
) -> None:
    with Sandbox(persons=30, null_update_time=0.4, nulls=nulls) as box:
        order = {"sort_by": "update_time", "sort_direction": direction}
        rows = flat(cursor_pages(box, "/api/v2/persons", limit=3, **order))
        assert len({row["id"] for row in rows}) == 30
        is_null = [row["update_time"] is None for row in rows]
        nulls_lead = (nulls == "first") == (direction == "asc")
        assert is_null == sorted(is_null, reverse=nulls_lead)
        bound = "1970-01-01T00:00:00Z"
        for path, since in (("/api/v2/persons", "updated_since"), ("/v1/leads", "updated_since")):
            assert all(row["update_time"] for row in get(box, path, **{since: bound}).data)
        assert all(
            row["update_time"] for row in get(box, "/v1/persons/collection", since=bound).data
        )
        rows = flat(cursor_pages(box, "/api/v2/persons", limit=3, updated_since=bound, **order))
        assert len(rows) == is_null.count(False)
