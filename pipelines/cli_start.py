"""Commands that start things: a project, and its runs by a schedule."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from .cli_options import Context, command

_FORMATS = ("systemd", "cron", "launchd", "github", "airflow", "dagster")
_RESOURCES = ("leads", "archived_leads", "persons", "organizations", "deals")
_EVERY = click.option("--every", metavar="15m", help="How often: m, h or d.")
_CRON = click.option("--cron", metavar='"30 6 * * 1-5"', help="When, as cron says it.")
_TIMEZONE = click.option(
    "--timezone", metavar="NAME", help="Of --cron, such as Europe/Berlin.  [default: UTC]"
)


def schedule_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a schedule in the foreground."""
    jitter = click.option(
        "--jitter", metavar="30s", help="Put each run off by a random time of up to this."
    )
    for option in (jitter, _TIMEZONE, _CRON, _EVERY):
        function = option(function)
    return function


@click.command()
@click.option("--company-domain", metavar="acme", help="Do not ask for it: acme.pipedrive.com.")
@click.option(
    "--resource",
    "resources",
    type=click.Choice(_RESOURCES),
    multiple=True,
    help="Do not ask what to load. May be repeated.",
)
@click.option(
    "--data", metavar="FOLDER", help="Do not ask where to keep the files.  [default: data]"
)
@click.option(
    "--non-interactive",
    is_flag=True,
    help="Ask nothing: options and SOURCES__PIPEDRIVE__API_TOKEN, …__COMPANY_DOMAIN say it all.",
)
@click.option("--force", is_flag=True, help="Replace a config.toml without asking.")
@command
def init(
    context: Context,
    company_domain: str | None,
    resources: tuple[str, ...],
    data: str | None,
    non_interactive: bool,
    force: bool,
) -> None:
    """Ask four questions, test the connection, write config.toml and the token's file."""
    from .init import Given, initialize

    given = Given(company_domain, resources, data, is_interactive=not non_interactive, force=force)
    initialize(context.config or Path("config.toml"), given, context.log)


@click.group()
def schedule() -> None:
    """Runs by a schedule: here in the foreground, or by another scheduler."""


@schedule.command("run")
@schedule_options
@command
def schedule_run(
    context: Context,
    every: str | None,
    cron: str | None,
    timezone: str | None,
    jitter: str | None,
) -> None:
    """Run in the foreground, one run at a time, until SIGTERM or Ctrl-C."""
    run_scheduled(context, (), every=every, cron=cron, timezone=timezone, jitter=jitter)


@schedule.command("print")
@click.argument("form", metavar="FORMAT", type=click.Choice(_FORMATS))
@_EVERY
@_CRON
@_TIMEZONE
@click.option(
    "--jitter",
    help="Put each run off by a random time of up to this (1m).",
)
@click.option(
    "--env-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Variables for the runs, NAME=value a line.  [default: .env, if there is one]",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Write files, not to stdout.",
)
@command
def schedule_print(
    context: Context,
    form: str,
    every: str | None,
    cron: str | None,
    timezone: str | None,
    jitter: str | None,
    env_file: Path | None,
    out: Path | None,
) -> None:
    """Files for systemd, cron, launchd, github, airflow or dagster; every 15m unless told."""
    from .schedule.printing import joined, make_files, next_step, save

    files = make_files(
        context.settings(),
        form,
        config=context.config,
        env_file=env_file,
        every=every,
        cron=cron,
        timezone=timezone,
        jitter=jitter,
        log=context.log,
    )
    if out:
        for path in save(files, out):
            click.echo(path)
    else:
        click.echo(joined(files), nl=False)
    context.log.write(next_step(form), "schedule")


@schedule.command("status")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@command
def schedule_status(context: Context, as_json: bool) -> None:
    """The scheduler of this project, next tick and last result; for health checks.

    Ends with 0 where it is there and its last run ended with 0, 3 or 75, else with 1.
    """
    from .schedule.note import find_schedule

    found = find_schedule(context.settings().warehouse.path)
    if as_json:
        click.echo(json.dumps(found.as_dict() if found else None, default=str, indent=2))
    else:
        click.echo(found.text if found else "no scheduler is running")
    sys.exit(0 if found and found.is_healthy else 1)


def run_scheduled(
    context: Context,
    arguments: Sequence[str],
    *,
    every: str | None,
    cron: str | None,
    timezone: str | None,
    jitter: str | None,
) -> None:
    """Run `pipeduck run ARGUMENTS` by a schedule until a signal comes, and exit."""
    from .schedule.place import command_of
    from .schedule.process import run_schedule

    options = ["--log-format", context.log.form] + ["--debug"] * context.is_debug
    options += {"warning": ["--quiet"], "debug": ["--verbose"]}.get(context.log.least, [])
    code = run_schedule(
        context.settings(),
        context.log,
        (*command_of(context.config), *options, "run", *arguments),
        every=every,
        cron=cron,
        timezone=timezone,
        jitter=jitter,
    )
    sys.exit(code)
