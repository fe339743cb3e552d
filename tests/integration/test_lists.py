"""Which lists a run reads, how often, and how those that describe records are stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from projects import Project

from sources.pipedrive.endpoints import ENDPOINTS
from sources.sandbox import Sandbox
from transforms.raw import RAW_TABLES

Make = Callable[[Sandbox], Project]


def ids(project: Project, table: str) -> set[Any]:
    return {row[0] for row in project.rows(f"select id from raw.{table}")}


def test_a_resource_brings_its_definitions_and_nothing_else(project_of: Make) -> None:
    with Sandbox(persons=5, organizations=5, leads=5) as box:
        project = project_of(box)
        result = project.run(resources=("organizations",))
        assert {p.entity for p in result.progress} == {
            "organizations",
            "organization_fields",
            "users",
            "currencies",
        }


def test_tables_made_empty_are_those_a_load_makes(project_of: Make) -> None:
    assert {table.name for table in RAW_TABLES} == {endpoint.entity for endpoint in ENDPOINTS}
    columns = """
        select table_name, column_name, data_type from information_schema.columns
        where table_schema = 'raw' and not starts_with(table_name, '_dlt') order by all
    """
    with Sandbox(persons=3, organizations=3, leads=3, archived_leads=3) as box:
        whole, piecewise = project_of(box), project_of(box)
        whole.run()
        piecewise.run(resources=("persons",))
        assert piecewise.rows(columns) == whole.rows(columns)
        piecewise.run()
        assert piecewise.rows(columns) == whole.rows(columns)
        for table in RAW_TABLES:
            assert ids(piecewise, table.name) == ids(whole, table.name)


def test_slow_changing_lists_are_read_on_their_cadence(project_of: Make) -> None:
    with Sandbox(persons=5) as box:
        project = project_of(box)
        only = ("persons",)
        assert "users" in project.requests_of(project.run(resources=only))
        assert "users" not in project.requests_of(project.run(resources=only))
        project.environment["SOURCES__PIPEDRIVE__CADENCE__USERS"] = ""
        assert "users" in project.requests_of(project.run(resources=only))


def test_a_changed_listing_is_stored_whole_and_what_is_gone_stays(project_of: Make) -> None:
    with Sandbox(persons=5) as box:
        project = project_of(box)
        project.run(api="v2", resources=("persons",))
        before = ids(project, "person_fields")
        gone = box.account.custom_fields("person")[0].key
        box.account.delete_field("person", gone)
        project.run(api="v2", resources=("persons",))
        assert ids(project, "person_fields") == before
        newest = {
            row[0]
            for row in project.rows(
                "select id from raw.person_fields where _dlt_load_id = "
                "(select max(_dlt_load_id) from raw.person_fields)"
            )
        }
        assert before - newest == {gone}
