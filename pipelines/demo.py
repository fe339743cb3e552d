"""`pipeduck demo`: the main job on an imaginary account, with real HTTP and real files."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click

from sources.sandbox import Sandbox
from warehouse.query import Result, run_query
from warehouse.table import write_table

from .config import load_settings
from .errors import ConfigError
from .narration import Narrator
from .run import run

CHANGES = 14
_MARK = "# Made by pipeduck demo"
QUERIES = {
    "Custom fields are columns with their Pipedrive names": """
        select name, cf_yearly_budget, cf_yearly_budget_currency as currency,
            cf_segment, cf_account_manager, cf_interests
        from persons
        where cf_yearly_budget > 0 and len(cf_interests) between 1 and 2
        order by cf_yearly_budget desc
        limit 5
    """,
    "Archived leads are there, with the time they were archived": """
        select title, status, archive_time, labels, value, currency
        from leads
        where is_archived
        order by archive_time desc
        limit 5
    """,
    "What is gone is flagged, and says where it went": """
        select 'lead' as what, title as name, status, converted_deal_id as went_to, deleted_time
        from leads
        where is_deleted
        union all
        select 'person', name, if(merged_into_id is null, 'deleted', 'merged'), merged_into_id,
            deleted_time
        from persons
        where is_deleted
    """,
    "Labels are names": """
        select label, count(*) as leads, count(*) filter (not is_archived) as open
        from (select unnest(labels) as label, is_archived from leads)
        group by label
        order by leads desc
    """,
    "What the two loads cost": """
        select runs.run_id, runs.requests, runs.tokens,
            sum(rows_listed) as read, sum(rows_new) as new, sum(rows_changed) as changed
        from sync_runs as runs
        join sync_steps as steps on steps.run_id = runs.run_id and steps.step = 'read'
        group by all
        order by runs.run_id
    """,
}


def run_demo(folder: Path) -> None:
    """Two loads with changes between, into `folder`, then a few queries.

    `folder` is emptied if it holds an earlier demo; anything else in it makes this refuse.
    """
    _empty(folder)
    file = folder / "config.toml"
    with Sandbox(persons=1200, organizations=300, leads=400, archived_leads=150) as box:
        file.write_text(
            f"{_MARK}; the account was a sandbox that is gone.\n"
            f'[sources.pipedrive]\nbase_url = "{box.url}"\n'
            '[warehouse]\npath = "warehouse.duckdb"\npublish = "pipedrive.duckdb"\n',
            "utf-8",
        )
        settings = load_settings(file, {"SOURCES__PIPEDRIVE__API_TOKEN": box.token})
        with Narrator() as narrator:
            _title("First load: everything")
            first = run(settings, narrator)
            _title("Some life in the account")
            for sentence in box.account.live(CHANGES):
                narrator.say(sentence)
            _title("Second load: what changed")
            second = run(settings, narrator)
    _title(f"{first.tokens} tokens for the first load, {second.tokens} for the second")
    for title, sql in QUERIES.items():
        _title(title)
        run_query(settings.warehouse.publish, sql, _print, key=settings.warehouse.encryption_key)
    click.echo(f"Look around: pipeduck --config {file} query 'from persons limit 5'", err=True)


def _print(result: Result) -> None:
    write_table(result, sys.stdout)


def _title(text: str) -> None:
    click.echo(f"\n{text}", err=True)
    sys.stderr.flush()


def _empty(folder: Path) -> None:
    """Make room for the demo's files. Raises ConfigError where the folder holds something else."""
    marker = folder / "config.toml"
    if folder.exists() and any(folder.iterdir()):
        if not marker.is_file() or not marker.read_text("utf-8").startswith(_MARK):
            raise ConfigError(
                f"{folder} holds something other than an earlier demo.",
                "Choose another place with --folder.",
            )
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
