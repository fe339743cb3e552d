"""One truth, two forms: v1 and v2 are decoded here, by code that shares nothing with the sandbox,
and must both give the logical values of the truth.
"""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from sandbox_client import Row, cursor_pages, flat, get, offset_pages

from sources.sandbox import Sandbox
from sources.sandbox.truth import truth
from sources.sandbox.values import VALUE_TYPES

PARTS = [
    "subpremise",
    "street_number",
    "route",
    "sublocality",
    "locality",
    "admin_area_level_1",
    "admin_area_level_2",
    "country",
    "postal_code",
    "formatted_address",
]


@pytest.fixture(scope="module", params=["null", "absent"])
def box(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    options: dict[str, Any] = {"v2_unset": request.param}
    with Sandbox(persons=60, organizations=40, leads=50, fields=45, seed=5, **options) as box:
        yield box


def money(amount: object, currency: object) -> tuple[Decimal, object]:
    return Decimal(str(amount)), currency


def from_truth(kind: str, value: Any) -> object:
    if kind == "monetary":
        return money(value["value"], value["currency"])
    if kind in ("time", "timerange"):
        return {name: part for name, part in value.items() if name != "timezone_name"}
    return value


def from_v1(kind: str, key: str, row: Row) -> object:
    value = row.get(key)
    if value is None:
        return None
    match kind:
        case "monetary":
            return money(value, row[f"{key}_currency"])
        case "enum":
            assert isinstance(value, str)
            return int(value)
        case "set":
            assert isinstance(value, str)
            return [int(option) for option in value.split(",")]
        case "daterange":
            return {"value": value, "until": row[f"{key}_until"]}
        case "time":
            return {"value": value, "timezone_id": row[f"{key}_timezone_id"]}
        case "timerange":
            ends = {"value": value, "until": row[f"{key}_until"]}
            return {**ends, "timezone_id": row[f"{key}_timezone_id"]}
        case "address":
            return {"value": value, **{part: row.get(f"{key}_{part}") for part in PARTS}}
        case _:
            return value


def from_v2(kind: str, key: str, row: Row) -> object:
    value = (row["custom_fields"] or {}).get(key)
    if value is None:
        return None
    if kind == "monetary":
        return money(value["value"], value["currency"])
    if kind in ("time", "timerange"):
        assert "/" in value.pop("timezone_name") or value["timezone_id"] == 182
    return value


Decode = Callable[[str, str, Row], object]


@pytest.mark.parametrize(
    ("entity", "paths", "decode"),
    [
        ("person", ["/v1/persons/collection"], from_v1),
        ("person", ["/api/v2/persons"], from_v2),
        ("organization", ["/v1/organizations/collection"], from_v1),
        ("organization", ["/api/v2/organizations"], from_v2),
        ("deal", ["/v1/leads", "/v1/leads/archived"], from_v1),
        ("deal", ["/api/v2/deals", "/api/v2/deals/archived"], from_v2),
    ],
)
def test_custom_values_equal_the_truth(
    box: Sandbox, entity: str, paths: list[str], decode: Decode
) -> None:
    account = truth(box.account)
    table = "leads" if "leads" in paths[0] else f"{entity}s"
    expected = {record["id"]: record["custom"] for record in account[table]}
    rows = [row for path in paths for row in get(box, path, limit=500).data]
    assert {row["id"] for row in rows} == set(expected)
    for row in rows:
        for field in account["fields"][entity]:
            kind, key = field["field_type"], field["key"]
            value = expected[row["id"]].get(key)
            assert decode(kind, key, row) == (None if value is None else from_truth(kind, value))


def test_every_type_has_values_on_every_entity(box: Sandbox) -> None:
    account = truth(box.account)
    for entity, table in (
        ("person", "persons"),
        ("organization", "organizations"),
        ("deal", "leads"),
    ):
        filled = {key for record in account[table] for key in record["custom"]}
        kinds = {
            field["field_type"] for field in account["fields"][entity] if field["key"] in filled
        }
        assert kinds == set(VALUE_TYPES)
    assert len(account["fields"]["person"]) == 45


def test_unset_fields_are_null_in_collections_absent_in_leads(box: Sandbox) -> None:
    keys = {key for key, *_ in v1_keys(box, "person")}
    for row in get(box, "/v1/persons/collection").data:
        assert keys <= set(row)
    custom = {key for key, *_ in v1_keys(box, "deal")}
    for row in get(box, "/v1/leads").data:
        assert all(row[key] is not None for key in custom & set(row))


def v1_keys(box: Sandbox, entity: str) -> list[tuple[str, str]]:
    rows = flat(offset_pages(box, f"/v1/{entity}Fields", limit=500))
    return [(row["key"], row["name"]) for row in rows if row["edit_flag"]]


def test_unset_fields_of_v2_are_as_the_option_says(box: Sandbox) -> None:
    rows = flat(cursor_pages(box, "/api/v2/persons"))
    assert rows[1]["custom_fields"] is None
    partly = rows[2]["custom_fields"]
    if box.options.v2_unset == "null":
        assert len(partly) == 45
        assert None in partly.values()
    else:
        assert 0 < len(partly) < 45
        assert None not in partly.values()


def test_definitions_name_every_key_of_the_flat_records(box: Sandbox) -> None:
    known = {key for key, _ in v1_keys(box, "person")}
    row = get(box, "/v1/persons/collection").data[0]
    assert {key for key in row if key[:40].isalnum() and len(key) >= 40} == known


def test_awkward_names_and_values_are_there(box: Sandbox) -> None:
    names = [field["name"] for field in truth(box.account)["fields"]["person"]]
    assert names.count("Budget") == 2
    assert {"Name", '"; drop table', "🚀🔥"} < set(names)
    assert max(map(len, names)) == 255
    values = json.dumps(truth(box.account), ensure_ascii=False)
    for text in ("9999999999.99", "-1234.56", "2024-02-29", "00123", "🚀 naïve café", "\\r\\n"):
        assert text in values


def test_standard_columns_agree_between_the_forms(box: Sandbox) -> None:
    expected = {person["id"]: person for person in truth(box.account)["persons"]}
    v2 = get(box, "/api/v2/persons", limit=500).data
    v1 = get(box, "/v1/persons/collection", limit=500).data
    for new, old in zip(v2, v1, strict=True):
        person = expected[new["id"]]
        assert new["org_id"] == old["org_id"] == person["organization_id"]
        assert new["update_time"] == person["update_time"]
        assert old["update_time"] == person["update_time"].replace("T", " ").rstrip("Z")
        assert str(new["visible_to"]) == old["visible_to"]
        assert new["label_ids"] == old["label_ids"] == person["label_ids"]
        emails = [{"label": x.get("label"), **x} for x in new["emails"]]
        assert emails == person["emails"]
        assert old["email"] == (new["emails"] or [{"value": "", "primary": True}])
        assert "first_name" not in old


def test_organization_addresses_agree_between_the_forms(box: Sandbox) -> None:
    expected = {x["id"]: x["address"] for x in truth(box.account)["organizations"]}
    assert None in expected.values()
    for row in get(box, "/api/v2/organizations", limit=500).data:
        assert row["address"] == expected[row["id"]]
    for row in get(box, "/v1/organizations/collection", limit=500).data:
        flat_address = {"value": row["address"], **{part: row[f"address_{part}"] for part in PARTS}}
        assert flat_address == (expected[row["id"]] or dict.fromkeys(["value", *PARTS]))


def test_lead_values_are_exact(box: Sandbox) -> None:
    expected = {lead["id"]: lead["value"] for lead in truth(box.account)["leads"]}
    for row in get(box, "/v1/leads", limit=500).data:
        value = row["value"]
        assert (value and money(**value)) == (expected[row["id"]] and money(**expected[row["id"]]))
