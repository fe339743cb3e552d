"""`pipeduck`: each command is a thin wrapper of a function that can be imported.

stdout is data, stderr is narration. Nothing heavy is imported until a command needs it.
"""

from __future__ import annotations

import functools
import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .cli_export import export
from .cli_look import config_commands, doctor, fields, transforms
from .cli_options import LOG_FORMAT_VARIABLE, Context, command, common_options
from .cli_query import columns, query, shell, tables
from .cli_report import report as report_command
from .cli_start import init, run_scheduled, schedule, schedule_options
from .logs import Level, LogFormat

if TYPE_CHECKING:
    from .readings import Scope

RESOURCES = ("leads", "archived_leads", "persons", "organizations", "deals")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("pipeduck"), prog_name="pipeduck")
@functools.partial(common_options, variable=LOG_FORMAT_VARIABLE)
@click.pass_context
def main(
    click_context: click.Context,
    config: Path | None,
    debug: bool,
    log_format: LogFormat | None,
    least: Level | None,
) -> None:
    """Pipedrive in DuckDB, every custom field a named, typed column.

    Exit codes: 0 fine, 1 unexpected, 2 usage or configuration, 3 partial, 4 a check or guard
    refused, 75 try again later, 77 not allowed.
    """
    click_context.ensure_object(Context).take(config, log_format, least, is_debug=debug)


for group in (
    init,
    schedule,
    config_commands,
    doctor,
    fields,
    report_command,
    transforms,
    query,
    export,
    tables,
    columns,
    shell,
):
    main.add_command(group)


_RESOURCE = click.option(
    "--resource",
    "resources",
    type=click.Choice(RESOURCES),
    multiple=True,
    help="Load only this, with what it needs. May be repeated.",
)
_REPORT = click.option(
    "--report", type=click.Path(path_type=Path), metavar="FILE", help="Write an account as JSON."
)
_DRY_RUN = click.option(
    "--dry-run", is_flag=True, help="Only tell what it would read and cost; nothing is written."
)
_PLAN_JSON = click.option(
    "--json", "as_json", is_flag=True, help="With --dry-run: the plan for programs."
)


@main.command()
@_RESOURCE
@click.option("--full-refresh", is_flag=True, help="Read everything again, not only what changed.")
@_DRY_RUN
@_PLAN_JSON
@_REPORT
@schedule_options
@command
def run(
    context: Context,
    resources: tuple[str, ...],
    full_refresh: bool,
    dry_run: bool,
    as_json: bool,
    report: Path | None,
    every: str | None,
    cron: str | None,
    timezone: str | None,
    jitter: str | None,
) -> None:
    """Load what is new, transform, publish; with --every or --cron again and again."""
    if every or cron or timezone:
        if full_refresh or dry_run:
            raise click.UsageError("--full-refresh and --dry-run are for a single run.")
        again = [word for name in resources for word in ("--resource", name)]
        again += ["--report", str(report)] if report else []
        run_scheduled(context, again, every=every, cron=cron, timezone=timezone, jitter=jitter)
    if jitter:
        from .schedule.process import put_off

        if put_off(jitter, context.log):
            sys.exit(75)  # told to stop before it began
    from .readings import Scope

    scope = Scope(resources, is_whole=full_refresh)
    if dry_run:
        _estimate(context, scope, as_json=as_json)
    else:
        _run(context, scope, report)


@main.command()
@_RESOURCE
@click.option(
    "--accept-deletions",
    is_flag=True,
    help="Mark what is missing as deleted, however much it is.",
)
@_DRY_RUN
@_PLAN_JSON
@_REPORT
@command
def reconcile(
    context: Context,
    resources: tuple[str, ...],
    accept_deletions: bool,
    dry_run: bool,
    as_json: bool,
    report: Path | None,
) -> None:
    """List everything, heal what differs, mark what is gone; then transform, publish."""
    from .readings import Scope

    scope = Scope(resources, is_whole=True, accepts_deletions=accept_deletions, command="reconcile")
    if dry_run:
        _estimate(context, scope, as_json=as_json)
    else:
        _run(context, scope, report)


def _estimate(context: Context, scope: Scope, *, as_json: bool) -> None:
    from .estimate import estimate, print_estimate
    from .narration import Narrator

    with Narrator(context.log) as speaking:
        found = estimate(context.settings(), speaking, scope)
    if as_json:
        click.echo(json.dumps(found.as_dict(), default=str, indent=2))
    else:
        print_estimate(found, sys.stdout)


def _run(context: Context, scope: Scope, report: Path | None) -> None:
    from .stopping import stop_on_sigterm

    with stop_on_sigterm() as stopping:
        from .narration import narrator
        from .report import write_report
        from .run import run as run_all

        settings = context.settings()
        with narrator(context.log) as speaking:
            result = run_all(settings, speaking, scope, stopping)
    if report:
        write_report(result, report)
    if result.error:
        raise result.error


@main.command()
@click.option("--full", is_flag=True, help="Rebuild every table, not only what changed.")
@command
def transform(context: Context, full: bool) -> None:
    """Rebuild the tables from what is loaded, without a request to Pipedrive."""
    from .narration import narrator
    from .run import rebuild

    with narrator(context.log) as speaking:
        result = rebuild(context.settings(), speaking, is_full=full)
    if result.error:
        raise result.error


@main.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@command
def status(context: Context, as_json: bool) -> None:
    """How fresh the warehouse is, what the last runs did and cost."""
    from .status import print_status, read_status

    found = read_status(context.settings())
    if as_json:
        click.echo(json.dumps(found.as_dict(), default=str, indent=2))
    else:
        print_status(found, sys.stdout)


@main.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("data/demo"),
    show_default=True,
    help="Where the demo keeps its files; emptied first.",
)
@command
def demo(context: Context, folder: Path) -> None:  # noqa: ARG001 - every command has a context
    """The whole product on an imaginary account: two loads with changes between, some queries."""
    from .demo import run_demo

    run_demo(folder)


@main.command(context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@command
def sandbox(context: Context, arguments: tuple[str, ...]) -> None:  # noqa: ARG001 - as above
    """Serve an imaginary Pipedrive account on this machine for as long as you like."""
    from sources.sandbox.__main__ import main as serve

    serve(list(arguments), prog="pipeduck sandbox")
