"""The sandbox's shapes, held against recorded payloads and the official OpenAPI files.

Both lie beside the repository and are not part of it; without them these tests are skipped.
Specifications are wrong about nullability, so null passes everywhere.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sandbox_client import Reply, Row, get

from sources.sandbox import Sandbox

SHARED = Path(__file__).parents[2].parent / "shared" / "pipedrive-openapi"
RECORDED = SHARED / "examples" / "nango-recorded-2026-05-15"
JSONL = SHARED / "examples" / "airbyte-sandbox-v1-records-2024-12.jsonl"
RECENTS = SHARED / "examples" / "dlt-recents-response-with-null.json"
SPEC_V1 = "pipedrive-v1-2026-08-18.yaml"
SPEC_COLLECTION = "pipedrive-v1-2026-01-14-with-collection.yaml"
SPEC_V2 = "pipedrive-v2-2026-08-18.yaml"

pytestmark = pytest.mark.skipif(not SHARED.exists(), reason="recorded payloads are not here")

CUSTOM = re.compile(r"[0-9a-f]{40}(_\w+)?")
UNDOCUMENTED = {
    "json_column_flag",  # recorded on v1 definitions
    "parent_id",  # recorded on v1 subfields
    "id_suffix",  # recorded on v1 subfields
    "is_admin",  # recorded on users
    "archive_time",  # recorded on leads and deals
    "creator_user_id",  # recorded on deals, and in the specification's example
    "local_won_date",  # the same
    "local_lost_date",  # the same
    "local_close_date",  # the same
    "formatted_address",  # in the migration guide
}


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(persons=120, organizations=60, leads=80, archived_leads=20) as box:
        yield box


def recorded(name: str) -> dict[str, Any]:
    call: dict[str, Any] = json.loads((RECORDED / f"{name}.json").read_text())["calls"][0]
    return call


def emitted(stream: str) -> list[Row]:
    rows = [json.loads(line) for line in JSONL.read_text().splitlines()]
    return [row["data"] for row in rows if row["stream"] == stream]


def kind(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return type(value).__name__
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return re.sub(r"\d", "0", value) if re.match(r"\d{4}-\d\d-\d\d", value) else "str"
    return type(value).__name__


def kinds(rows: list[Row]) -> dict[str, set[str]]:
    """Give the JSON types (times: their format) that each key has, null aside."""
    found: dict[str, set[str]] = {}
    for row in rows:
        for key, value in row.items():
            if not CUSTOM.fullmatch(key):
                found.setdefault(key, set()).update({kind(value)} - {"NoneType"})
    return found


def assert_same_kinds(ours: list[Row], theirs: list[Row], *, but: set[str] = frozenset()) -> None:
    mine, real = kinds(ours), kinds(theirs)
    for key in (mine.keys() & real.keys()) - but:
        assert not (mine[key] and real[key]) or mine[key] & real[key], (key, mine[key], real[key])


@pytest.mark.parametrize("name", ["leads", "list-leads"])
def test_leads_have_the_recorded_keys_and_types(box: Sandbox, name: str) -> None:
    real = recorded(name)["response"]
    mine = get(box, "/v1/leads", limit=500).json
    assert kinds(mine["data"]).keys() == kinds(real["data"]).keys()
    assert_same_kinds(mine["data"], real["data"])
    assert mine["additional_data"].keys() == real["additional_data"].keys()
    assert (
        mine["additional_data"]["pagination"].keys() == real["additional_data"]["pagination"].keys()
    )
    assert kinds([x["value"] for x in mine["data"] if x["value"]]) == kinds(
        [real["data"][0]["value"]]
    )


def test_a_single_recorded_lead_has_the_same_keys(box: Sandbox) -> None:
    real = recorded("get-lead")["response"]["data"]
    assert kinds([real]).keys() == kinds(get(box, "/v1/leads/archived").data).keys()


def test_answers_carry_the_recorded_headers(box: Sandbox) -> None:
    mine = get(box, "/v1/leads").headers
    real = recorded("list-leads")["headers"]
    for name in set(real) - {"cf-cache-status", "cache-control", "server"}:
        assert mine[name] is not None, name
    for name in ("content-type", "access-control-expose-headers", "x-ratelimit-reset"):
        assert mine[name] == real[name]


def test_users_have_the_recorded_keys_and_types(box: Sandbox) -> None:
    real = recorded("list-users")["response"]
    mine = get(box, "/v1/users").json
    assert kinds(mine["data"]).keys() == kinds(real["data"]).keys()
    assert_same_kinds(mine["data"], real["data"])
    assert mine["additional_data"].keys() == real["additional_data"].keys()
    assert_same_kinds(mine["data"][0]["access"], real["data"][0]["access"])


@pytest.mark.parametrize("entity", ["persons", "organizations"])
@pytest.mark.parametrize("prefix", ["", "list-"])
def test_collection_rows_have_keys_of_the_recorded_flat_rows(
    box: Sandbox, entity: str, prefix: str
) -> None:
    real = recorded(f"{prefix}{entity}")["response"]["data"]
    mine = get(box, f"/v1/{entity}/collection", limit=500).data
    assert kinds(mine).keys() <= kinds(real).keys()
    assert_same_kinds(mine, real, but={"owner_id", "org_id", "picture_id"})
    for contact in ("email", "phone"):
        if entity == "persons":
            empty = [{"value": "", "primary": True}]
            assert empty in [row[contact] for row in mine]
            assert {key for row in mine for x in row[contact] for key in x} == {
                key for row in real for x in row["email"] for key in x
            }


@pytest.mark.parametrize("entity", ["deal", "person", "organization"])
def test_definitions_have_the_recorded_keys_and_types(box: Sandbox, entity: str) -> None:
    mine = get(box, f"/v1/{entity}Fields", limit=500).data
    for real in emitted(f"{entity}_fields"):
        alike = [row for row in mine if bool(row.get("is_subfield")) == ("is_subfield" in real)]
        unknown = {"projects_detail_visible_flag", "show_in_pipelines"}
        assert real.keys() - unknown <= {key for row in alike for key in row}
        assert_same_kinds(alike, [real])
        for option in real.get("options", ()):
            options = [option for row in alike for option in row.get("options") or ()]
            assert option.keys() <= {key for x in options for key in x}


def test_a_recorded_subfield_row_is_written_alike(box: Sandbox) -> None:
    real = next(row for row in emitted("organization_fields") if row.get("is_subfield"))
    fields = get(box, "/v1/organizationFields", limit=500).data
    mine = next(row for row in fields if row["key"] == real["key"])
    changing = {"id", "parent_id"}
    assert {k: v for k, v in mine.items() if k not in changing} == {
        k: v for k, v in real.items() if k not in changing
    }


def test_lead_labels_have_the_recorded_keys_and_types(box: Sandbox) -> None:
    assert kinds(get(box, "/v1/leadLabels").data) == kinds(emitted("lead_labels"))


@pytest.mark.parametrize("path", ["/api/v2/deals", "/api/v2/deals/archived"])
def test_v2_deals_have_the_recorded_keys_and_types(box: Sandbox, path: str) -> None:
    real = recorded("get-deal")
    assert real["path"] == "/v2/deals/1"
    mine = get(box, path).data
    assert all(row.keys() == real["response"]["data"].keys() for row in mine)
    assert_same_kinds(mine, [real["response"]["data"]])


def test_v2_stages_have_the_recorded_keys_and_types(box: Sandbox) -> None:
    real = recorded("stages")
    assert real["path"] == "/v2/stages"
    mine = get(box, "/api/v2/stages", limit=500, sort_by="update_time").json
    assert kinds(mine["data"]).keys() == kinds(real["response"]["data"]).keys()
    assert_same_kinds(mine["data"], real["response"]["data"])
    assert mine["additional_data"] == real["response"]["additional_data"]


def test_deals_of_recents_have_keys_of_the_recorded_flat_rows() -> None:
    real = recorded("deals")["response"]["data"]
    with Sandbox(deals=20, archived_deals=5) as changing:
        since = f"{changing.account.now:%Y-%m-%d %H:%M:%S}"
        changing.account.edit("deal", *changing.account.deals, visible_to=7)
        changing.account.delete("deal", 1)
        rows = get(changing, "/v1/recents", since_timestamp=since, items="deal").data
    mine = [row["data"] for row in rows]
    assert len(mine) == 25
    assert kinds(mine).keys() <= kinds(real).keys()
    assert_same_kinds(mine, real, but={"creator_user_id", "user_id", "person_id", "org_id"})


def test_recents_have_the_recorded_shape(box: Sandbox) -> None:
    real = json.loads(RECENTS.read_text())
    with Sandbox(persons=12) as changing:
        since = f"{changing.account.now:%Y-%m-%d %H:%M:%S}"
        changing.account.edit("person", 1, name="A")
        changing.account.set_visibility("person", 0.1)
        changing.account.edit("person", 2, name="B")
        mine = get(changing, "/v1/recents", since_timestamp=since, items="person").json
    assert mine["additional_data"].keys() == real["additional_data"].keys()
    assert {kind(row["data"]) for row in mine["data"]} == {"dict", "NoneType"}
    assert mine["data"][0].keys() == real["data"][0].keys()
    rows = [[row["data"] for row in x["data"] if row["data"]] for x in (mine, real)]
    assert_same_kinds(rows[0], rows[1])
    assert kinds(rows[0]).keys() - {"label_ids"} <= kinds(rows[1]).keys()


def schema(file: str, path: str) -> dict[str, Any]:
    """Give the schema of a path's answer; only that path is cut out of the file and parsed."""
    yaml = pytest.importorskip("yaml")
    lines = (SHARED / file).read_text().splitlines()
    heads = [n for n, line in enumerate(lines) if re.match(r"  \S", line)]
    first = next(n for n in heads if lines[n].strip(" :'") == path)
    last = next((n for n in heads if n > first), len(lines))
    operation = yaml.load("\n".join(lines[first:last]), Loader=yaml.CSafeLoader)[path]["get"]
    answer: dict[str, Any] = operation["responses"]["200"]["content"]["application/json"]["schema"]
    return answer


JSON_TYPES: dict[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "string": (str,),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


def parts(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    for word in ("allOf", "oneOf", "anyOf"):
        for part in schema.get(word, ()):
            yield from parts(part)


def problems(value: object, schema: dict[str, Any], place: str = "") -> Iterator[str]:
    """Say what a schema does not allow: other types, and keys that it does not name."""
    every = list(parts(schema))
    types = [JSON_TYPES[part["type"]] for part in every if "type" in part]
    if value is None:
        return
    if types and not any(
        isinstance(value, x) for x in types if not isinstance(value, bool) or bool in x
    ):
        yield f"{place}: {value!r} is not of {types}"
    properties = {k: v for part in every for k, v in part.get("properties", {}).items()}
    if isinstance(value, dict) and properties:
        for key, inner in value.items():
            if key in properties:
                yield from problems(inner, properties[key], f"{place}.{key}")
            elif key not in UNDOCUMENTED and not CUSTOM.fullmatch(key):
                yield f"{place}.{key} is not in the specification"
    items = [part["items"] for part in every if "items" in part]
    if isinstance(value, list) and items:
        for inner in value:
            yield from problems(inner, items[0], f"{place}[]")


@pytest.mark.parametrize(
    ("file", "path", "undocumented"),
    [
        (SPEC_COLLECTION, "/persons/collection", {"label_ids"}),
        (SPEC_COLLECTION, "/organizations/collection", {"label_ids"}),
        (SPEC_V1, "/leads/archived", set()),
        (SPEC_V1, "/leadLabels", set()),
        (SPEC_V1, "/leadSources", set()),
        (SPEC_V1, "/users", set()),
        (SPEC_V1, "/users/me", set()),
        (SPEC_V1, "/currencies", set()),
        (SPEC_V2, "/persons", set()),
        (SPEC_V2, "/organizations", set()),
        (SPEC_V2, "/deals", set()),
        (SPEC_V2, "/deals/archived", set()),
        (SPEC_V2, "/pipelines", set()),
        (SPEC_V2, "/stages", set()),
        (SPEC_V2, "/personFields", set()),
        (SPEC_V2, "/organizationFields", set()),
        (SPEC_V2, "/dealFields", set()),
    ],
)
def test_answers_fit_the_specification(
    box: Sandbox, file: str, path: str, undocumented: set[str]
) -> None:
    prefix = "/api/v2" if file == SPEC_V2 else "/v1"
    reply: Reply = get(box, prefix + path)
    found = set(problems(reply.json, schema(file, path)))
    allowed = {f".data[].{key} is not in the specification" for key in undocumented}
    envelope = {".additional_data is not in the specification"}
    nested = {".additional_data.pagination is not in the specification"}
    assert found - allowed - envelope - nested == set()


@pytest.mark.parametrize("path", ["/leadFields", "/personFields", "/dealFields"])
def test_v1_definitions_fit_the_specification(box: Sandbox, path: str) -> None:
    reply = get(box, f"/v1{path}", limit=500).json
    fields = {"data": reply["data"]}
    assert set(problems(fields, schema(SPEC_V1, path))) == set()
