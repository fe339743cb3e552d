"""Payloads in the shapes the real API has been seen to send pass through to `crm`."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from projects import Project

from sources.sandbox import Sandbox

Make = Callable[[Sandbox], Project]
DATA = Path(__file__).parents[1] / "data"
RECORDED = (
    Path(__file__).parents[2].parent
    / "shared" / "pipedrive-openapi" / "examples" / "nango-recorded-2026-05-15"
)  # fmt: skip
PATHS = {"leads": "v1/leads", "persons": "*/persons/*", "organizations": "*/organizations/*"}


def recorded(name: str) -> list[dict[str, Any]]:
    (call, *_) = json.loads((RECORDED / f"{name}.json").read_text())["calls"]
    data: list[dict[str, Any]] = call["response"]["data"]
    return data


def load(project_of: Make, payloads: dict[str, list[dict[str, Any]]]) -> Project:
    with Sandbox(persons=1, organizations=1, leads=1, archived_leads=0) as box:
        for entity, payload in payloads.items():
            box.fault(f"*{PATHS[entity]}", "replace", payload=payload)
        project = project_of(box)
        assert project.run(api="collection").exit_code == 0
    for entity, payload in payloads.items():
        stored = project.rows(f"select id, payload from raw.{entity}")
        assert {i: json.loads(p) for i, p in stored} == {r["id"]: r for r in payload}
    return project


def test_the_older_v1_list_shapes_are_decoded_like_any_other(project_of: Make) -> None:
    persons = json.loads((DATA / "persons_v1_list.json").read_text())
    organizations = json.loads((DATA / "organizations_v1_list.json").read_text())
    project = load(project_of, {"persons": persons, "organizations": organizations})
    dagny = project.records("persons")[501]
    assert (
        dagny
        | {
            "owner_name": "Grace Hopper",
            "organization_id": 601,
            "organization_name": "Pond & Co",
            "primary_email": "dagny@example.com",
            "primary_phone": None,
            "phones": [],
            "labels": ["Hot lead", "Customer"],
            "visible_to": 3,
            "picture_id": 71,
            "birthday": date(1999, 12, 31),
            "job_title": "Quality engineer",
            "cc_email": "pond@example.com",
            "update_time": datetime(2026, 5, 15, 10, 11, 4, tzinfo=UTC),
            "is_deleted": False,
        }
        == dagny
    )
    gone = project.records("persons")[502]
    assert (
        gone
        | {
            "organization_id": None,
            "emails": [],
            "add_time": None,
            "update_time": None,
            "is_deleted": True,
            "deleted_time": datetime(2026, 5, 16, 8, tzinfo=UTC),
        }
        == gone
    )
    pond = project.records("organizations")[601]
    assert (
        pond
        | {
            "address": "1 Duck Pond, Tartu",
            "address_locality": "Tartu",
            "address_formatted_address": "1 Duck Pond, 50090 Tartu, Estonia",
            "employee_count": 7,
        }
        == pond
    )
    assert project.rows("from rejected_values", published=True) == []
    assert project.rows(
        "select person_id, value from person_emails order by position", published=True
    ) == [
        (501, "dagny@example.com"),
        (501, "d@example.com"),
    ]


@pytest.mark.skipif(not RECORDED.is_dir(), reason="recorded payloads are not here")
def test_recorded_real_payloads_pass_without_an_error_or_a_lost_key(project_of: Make) -> None:
    names = {
        "leads": ("leads", "list-leads"),
        "persons": ("persons", "list-persons"),
        "organizations": ("organizations", "list-organizations"),
    }
    for turn in range(2):
        payloads = {entity: recorded(files[turn]) for entity, files in names.items()}
        project = load(project_of, payloads)
        assert project.rows("from rejected_values", published=True) == []
        for entity, records in payloads.items():
            rows = project.records(entity)
            assert rows.keys() == {record["id"] for record in records}
            for record in records:
                row = rows[record["id"]]
                title = "title" if entity == "leads" else "name"
                assert row[title] == record[title]
                owner = record["owner_id"]
                assert row["owner_id"] == (owner["id"] if isinstance(owner, dict) else owner)
                assert (
                    f"{row['update_time']:%Y-%m-%d %H:%M:%S}"
                    == record["update_time"].replace("T", " ")[:19]
                )
                if entity == "persons":
                    assert row["primary_email"] == (record["email"][0]["value"] or None)
                    organization = record["org_id"]
                    assert row["organization_id"] == (organization and organization["value"])
                if entity == "leads":
                    value = record["value"]
                    assert row["value"] == (value and value["amount"])
                    assert row["status"] == "open"
