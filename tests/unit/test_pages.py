from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sources.pipedrive.endpoints import ENDPOINTS, Endpoint
from sources.pipedrive.errors import BadAnswer
from sources.pipedrive.identity import read_identity
from sources.pipedrive.pages import Answer, Page, parse_time, read_page

NOW = datetime(2026, 6, 1, tzinfo=UTC)
BY_NAME = {endpoint.entity: endpoint for endpoint in ENDPOINTS}


def page(body: str, endpoint: Endpoint = BY_NAME["persons"]) -> Page:
    return read_page(Answer(body.encode(), NOW, NOW), endpoint, "v2")


def test_the_payload_is_the_bytes_that_came() -> None:
    record = '{ "id":1,  "name":"Zo\\u00eb \\"x\\"","n":1.10, "update_time":"2026-05-15T10:11:04Z"}'
    (found,) = page(f'{{"success":true,"data":[{record}]}}').records
    assert found.payload.decode() == record
    assert found.id == 1
    assert found.update_time == datetime(2026, 5, 15, 10, 11, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    "body",
    [
        '{"success":true,"data":null}',
        '{"success":true}',
        '{"success":true,"data":[]}',
        '{"success":true,"data":[null],"additional_data":null}',
    ],
)
def test_an_empty_page_has_no_records_and_no_next(body: str) -> None:
    found = page(body)
    assert found.records == ()
    assert not found.has_more
    assert found.next_cursor is None


@pytest.mark.parametrize("nesting", ['{"pagination":%s}', "%s"])
def test_offset_paging_is_read_nested_or_flat(nesting: str) -> None:
    paging = nesting % '{"start":0,"limit":2,"more_items_in_collection":true,"next_start":2}'
    found = page(f'{{"success":true,"data":[],"additional_data":{paging}}}')
    assert found.has_more
    assert found.next_start == 2


@pytest.mark.parametrize(
    "body",
    [
        "<html>maintenance</html>",
        "",
        '{"success":true,"data":[{"id":1},',
        '{"success":false,"error":"nope"}',
        '{"success":true,"data":{"id":1}}',
        '{"success":true,"data":"none"}',
        '{"success":true,"data":[{"name":"no id"}]}',
        '{"success":true,"data":[{"id":"not a number"}]}',
        '{"success":true,"data":[[1]]}',
        '{"success":true,"data":[],"additional_data":{"next_cursor":5}}',
    ],
)
def test_what_is_no_page_is_told_as_such(body: str) -> None:
    with pytest.raises(BadAnswer, match="Pipedrive"):
        page(body)


@pytest.mark.parametrize("entity", ["leads", "users", "person_fields", "lead_sources"])
def test_each_entity_is_known_by_its_own_key(entity: str) -> None:
    endpoint = BY_NAME[entity]
    identity = '"x"' if endpoint.id_type == "text" else "7"
    key = endpoint.id_key[0]
    (found,) = page(f'{{"data":[{{"{key}":{identity}}}]}}', endpoint).records
    assert found.id == ("x" if endpoint.id_type == "text" else 7)


def test_an_id_may_be_a_number_in_text() -> None:
    (found,) = page('{"data":[{"id":"12"}]}').records
    assert found.id == 12


def test_a_definition_is_known_by_its_key_in_both_forms() -> None:
    for body in ('{"id":5,"key":"abc","name":"Budget"}', '{"field_code":"abc","id":9}'):
        (found,) = page(f'{{"data":[{body}]}}', BY_NAME["person_fields"]).records
        assert found.id == "abc"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-05-15 10:11:04", datetime(2026, 5, 15, 10, 11, 4, tzinfo=UTC)),
        ("2026-05-15T10:11:04.968Z", datetime(2026, 5, 15, 10, 11, 4, 968000, tzinfo=UTC)),
        ("2026-05-15T12:11:04+02:00", datetime(2026, 5, 15, 10, 11, 4, tzinfo=UTC)),
        ("0000-00-00 00:00:00", None),
        ("yesterday", None),
        (12345, None),
        (None, None),
    ],
)
def test_times_are_utc_and_what_is_none_is_none(value: object, expected: datetime | None) -> None:
    assert parse_time(value) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"id":1,"name":"A","access":[{"app":"global","admin":true}]}', True),
        ('{"id":1,"name":"A","access":[{"app":"sales","admin":true}],"is_admin":1}', False),
        ('{"id":1,"name":"A","is_admin":1}', True),
        ('{"id":1,"name":"A"}', None),
    ],
)
def test_an_admin_is_one_for_the_global_app(body: str, expected: bool | None) -> None:
    answer = Answer(f'{{"success":true,"data":{body}}}'.encode(), NOW, NOW)
    assert read_identity(answer).is_admin is expected


@pytest.mark.parametrize("name", ["5", "{}", "null", "[1]"])
def test_an_odd_name_in_a_reference_record_costs_no_record(name: str) -> None:
    (found,) = page(f'{{"data":[{{"id":7,"name":{name}}}]}}', BY_NAME["users"]).records
    assert found.id == 7
