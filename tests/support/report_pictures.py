"""Makes the pictures of docs/report.md: `.venv/bin/python tests/support/report_pictures.py`."""

from __future__ import annotations

import os
import sys
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
from browser import browser
from projects import Project
from report_account import live_on

from pipelines.html_report.facts import read_facts
from pipelines.html_report.page import render
from sources.sandbox import Sandbox

IMAGES = Path(__file__).parents[2] / "docs" / "images"
_WEEKS = 16
_SHOTS = (
    ("desktop", 1180, "light", 1560),
    ("desktop", 1180, "dark", 1560),
    ("phone", 390, "light", 1680),
    ("phone", 390, "dark", 1680),
)


def published(folder: Path) -> tuple[Path, datetime]:
    """A published file after some months of runs, and a moment soon after the last of them."""
    with Sandbox(persons=300, organizations=120, leads=420, archived_leads=120, deals=12) as box:
        project = Project(folder, box)
        project.run()
        for week in range(_WEEKS):
            live_on(box.account, days=7, leads=9, seed=week)
            project.run()
        now = box.account.now
    file = folder / "pipedrive.duckdb"
    with duckdb.connect(str(file)) as connection:
        _spread(connection, now)
    return file, now + timedelta(minutes=37)


def _spread(connection: duckdb.DuckDBPyConnection, now: datetime) -> None:
    """Runs that followed each other at once are a week apart, as the account's weeks were.

    One of them has not gone well, and a few values did not fit.
    """
    connection.execute(
        """
        create temp table moved as
        select
            run_id,
            ? - to_days(7 * (row_number() over (order by started_time desc) - 1)::int)
                - started_time as by
        from sync_runs
        """,
        [now],
    )
    for table, columns in (
        ("sync_runs", ("started_time", "ended_time")),
        ("sync_steps", ("started_time",)),
        ("sync_checks", ("checked_time",)),
    ):
        changes = ", ".join(f"{column} = {column} + moved.by" for column in columns)
        connection.execute(
            f"update {table} set {changes} from moved where moved.run_id = {table}.run_id"
        )
    connection.execute(
        """
        update sync_runs set outcome = 'partial', rows_loaded = 12, tokens = 90,
            error = 'organizations could not be read: Pipedrive answered 503 four times.'
        where run_id = (select run_id from sync_runs order by started_time offset 9 limit 1)
        """
    )
    connection.execute(
        "insert into rejected_values select 'persons', i::varchar, 'cf_visits', 'n/a', "
        "'not a number' from range(1, 5) as numbers(i)"
    )


def main() -> None:
    """Write the four pictures."""
    os.environ["TZ"] = "UTC"
    IMAGES.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as made, browser() as chromium:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(made)
        file, now = published(folder)
        page = folder / "report.html"
        page.write_text(render(read_facts(file), now), "utf-8")
        for name, width, scheme, height in _SHOTS:
            shot = chromium.open(page, width=width, scheme=scheme)
            shot.picture(IMAGES / f"report-{name}-{scheme}.png", height)


if __name__ == "__main__":
    main()
