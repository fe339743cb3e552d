"""Looking at what a run has flagged as gone, and at what it says it did."""

from __future__ import annotations

from typing import Any

from projects import Project

from pipelines.outcome import RunResult
from sources.sandbox import Sandbox

LARGE = {"full_listing_pages": "0"}
"""Settings under which no list counts as small: incremental reads, as in a large account."""

WITHOUT_DEALS = "leads,archived_leads,persons,organizations"


def gone(project: Project, table: str) -> dict[Any, tuple[Any, ...]]:
    """Of the flagged rows of a published table: when, and where they went."""
    more = {
        "leads": "status, converted_deal_id",
        "deals": "status, converted_lead_id",
    }.get(table, "merged_into_id")
    rows = project.rows(
        f"select id, deleted_time is not null, {more} from {table} where is_deleted", published=True
    )
    return {row[0]: row[2:] for row in rows if row[1]}


def steps(project: Project, step: str, run: RunResult) -> dict[str, dict[str, Any]]:
    """The steps of one kind in a run, by entity."""
    names = ("mode", "requests", "rows_listed", "rows_live", "rows_deleted", "note", "error")
    rows = project.rows(
        f"select entity, {', '.join(names)} from ops.steps "
        f"where run_id = '{run.run_id}' and step = '{step}'"
    )
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}


def lead_ids(box: Sandbox, *, archived: bool = False) -> list[str]:
    return [x.id for x in box.account.visible("lead") if x.is_archived is archived]


def hide(box: Sandbox, *persons: int) -> None:
    with box.account.same_moment():
        box.account.hidden["person"] = set(persons)
