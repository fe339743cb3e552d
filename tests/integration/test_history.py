"""Histories of a whole account: through runs, reconciles and a change of dialect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from projects import Project

from sources.sandbox import Sandbox
from transforms.history_models import HISTORY_COLUMNS

Make = Callable[[Sandbox], Project]
HISTORIES = {
    "leads": "lead_history",
    "persons": "person_history",
    "organizations": "organization_history",
    "deals": "deal_history",
}


def versions(project: Project) -> dict[str, list[tuple[Any, ...]]]:
    return {
        entity: project.rows(
            f"select id, version, valid_from, changed_columns from {history} order by all",
            published=True,
        )
        for entity, history in HISTORIES.items()
    }


def assert_current_versions_are_the_tables(project: Project) -> None:
    for entity, history in HISTORIES.items():
        columns = [c for c in project.columns(history) if c not in HISTORY_COLUMNS]
        listed = ", ".join(f'"{column}"' for column in columns)
        current, table = (
            project.rows(f"select {listed} from {source} order by id", published=True)
            for source in (f"{history} where is_current", entity)
        )
        assert current == table, entity


def test_the_current_versions_are_the_tables_through_any_change_and_either_dialect(
    project_of: Make,
) -> None:
    with Sandbox(persons=40, organizations=15, leads=20, archived_leads=6, fields=45) as box:
        project = project_of(box)
        project.environment["HISTORY__ENTITIES"] = ",".join(HISTORIES)
        project.run(api="v2")
        assert_current_versions_are_the_tables(project)
        assert all(row[1] == 1 for rows in versions(project).values() for row in rows)

        lead = next(lead for lead in box.account.visible("lead") if not lead.is_archived)
        box.account.archive_lead(lead.id)
        project.run(api="v2")
        box.account.convert_lead(lead.id)
        box.account.live(8)
        project.reconcile(api="v2")
        assert_current_versions_are_the_tables(project)
        statuses = f"select status from lead_history where id = '{lead.id}' order by version"
        assert project.rows(statuses, published=True) == [("open",), ("archived",), ("converted",)]

        before = versions(project)
        assert len(before["persons"]) > 40
        project.run(api="collection", is_full_refresh=True)
        assert_current_versions_are_the_tables(project)
        assert versions(project) == before
        assert not project.run(api="collection").is_published
