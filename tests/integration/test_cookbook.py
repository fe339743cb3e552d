"""The queries of docs/cookbook.md run on the demo's account, and have rows."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from projects import Project

from sources.sandbox import Sandbox
from warehouse.query import Result, run_query
from warehouse.writers import write_csv

COOKBOOK = Path(__file__).parents[2] / "docs" / "cookbook.md"
RECIPE = re.compile(r"^## (\d+)\. (.+?)\n.*?```sql\n(.*?)```", re.DOTALL | re.MULTILINE)
RECIPES = {int(number): sql for number, _, sql in RECIPE.findall(COOKBOOK.read_text("utf-8"))}
VALUES = {"since": "2026-05-25", "day": "2100-01-01"}
WITHOUT_ROWS = {19}  # the account's values all fit


@pytest.fixture
def published(tmp_path: Path) -> Iterator[Path]:
    with Sandbox(persons=200, organizations=50, leads=150, archived_leads=60) as box:
        project = Project(tmp_path, box)
        project.environment["HISTORY__ENTITIES"] = "leads"
        project.run()
        box.account.live(14)
        first, second, *_ = (person for person in box.account.visible("person") if person.emails)
        shared = [{"value": first.emails[0].value.upper(), "label": "work", "primary": True}]
        box.account.edit("person", second.id, emails=shared)
        converted = next(lead for lead in box.account.visible("lead") if not lead.is_archived)
        box.account.convert_lead(converted.id)
        project.run()
        yield project.folder / "pipedrive.duckdb"


def test_there_are_twenty_questions() -> None:
    assert list(RECIPES) == list(range(1, 21))


def test_every_recipe_runs_and_has_rows(published: Path) -> None:
    rows: dict[int, int] = {}
    for number, sql in RECIPES.items():
        values = {name: value for name, value in VALUES.items() if f"${name}" in sql}

        def count(found: Result, number: int = number) -> None:
            rows[number] = write_csv(found, io.StringIO())

        run_query(published, sql, count, values=values)
    assert {number for number in RECIPES if not rows[number]} == WITHOUT_ROWS
