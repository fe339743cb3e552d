"""`pipeduck status`: what the last seven days cost, by day and by list."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import duckdb
import pytest
from click.testing import CliRunner
from projects import Project

from pipelines.cli import main
from pipelines.costs import print_costs
from pipelines.status import read_status
from sources.sandbox import Sandbox

Make = Callable[[Sandbox], Project]


def change(project: Project, sql: str) -> None:
    with duckdb.connect(str(project.folder / "warehouse.duckdb")) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(sql)


def test_the_costs_of_a_day_are_what_pipedrive_counted(project_of: Make) -> None:
    with Sandbox(persons=3, leads=2) as box:
        project = project_of(box)
        project.run()
        project.reconcile()
        costs = read_status(project.settings()).costs
        (day,) = costs.days
        assert day.day == datetime.now(UTC).date()
        assert (day.runs, day.requests) == (2, len(box.requests))
        assert day.tokens == sum(request.cost for request in box.requests) == box.tokens_spent
        by_name = {entry.name: entry for entry in costs.lists}
        persons = [r for r in box.requests if r.path.endswith("/persons")]
        assert by_name["persons"].requests == len(persons)
        assert by_name["persons"].tokens == sum(request.cost for request in persons)
        recents = [r for r in box.requests if r.path.endswith("/recents")]
        assert by_name["recents"].requests == len(recents) == 1
        who_asks = [r for r in box.requests if r.path.endswith("/users/me")]
        assert sum(entry.requests for entry in costs.lists) == len(box.requests) - len(who_asks)


def test_a_week_is_counted_and_what_is_older_is_not(project_of: Make) -> None:
    with Sandbox(persons=3) as box:
        project = project_of(box)
        for days in (8, 6, 0):
            project.run()
            for table in ("runs", "steps"):
                change(
                    project,
                    f"update ops.{table} set started_time = started_time - interval {days} day "
                    f"where run_id = (select max(run_id) from ops.runs)",
                )
        costs = read_status(project.settings()).costs
        today = datetime.now(UTC).date()
        assert [day.day for day in costs.days] == [today, today - timedelta(days=6)]
        assert sum(entry.requests for entry in costs.lists) < len(box.requests) * 2 / 3


@pytest.mark.parametrize("is_known", [True, False])
def test_the_share_of_the_day_is_told_where_it_is_known(project_of: Make, is_known: bool) -> None:
    with Sandbox(persons=3) as box:
        project = project_of(box)
        project.run()
    limit = "1000" if is_known else "null"
    change(project, f"update ops.runs set tokens = 50, daily_limit = {limit}")
    shown = CliRunner().invoke(main, ["status"], env=project.environment).stdout
    assert ("5.00%" in shown) is is_known
    status = CliRunner().invoke(main, ["status", "--json"], env=project.environment).stdout
    (day,) = json.loads(status)["costs"]["days"]
    assert day["share_of_day"] == (0.05 if is_known else None)
    stream = io.StringIO()
    print_costs(read_status(project.settings()).costs, stream)
    assert all(line == line.rstrip() for line in stream.getvalue().splitlines())


def test_costs_are_read_from_the_published_file_while_a_run_holds_the_other(
    project_of: Make,
) -> None:
    with Sandbox(persons=3) as box:
        project = project_of(box)
        project.run()
        project.folder.joinpath("warehouse.duckdb").unlink()
        published = read_status(project.settings()).costs
        assert [day.runs for day in published.days] == [1]
        assert {entry.name for entry in published.lists} > {"persons", "leads"}
