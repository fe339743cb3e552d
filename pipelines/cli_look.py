"""Commands that look: the configuration, the doctor, the dictionary, the SQL."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Literal

import click

from .cli_options import Context, command

if TYPE_CHECKING:
    from .findings import Finding

_ENTITY = click.option(
    "--entity",
    type=click.Choice(("leads", "persons", "organizations", "deals")),
    help="Only the fields of this.",
)


@click.group(invoke_without_command=True)
@_ENTITY
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@command
def fields(
    context: Context,
    entity: Literal["leads", "persons", "organizations", "deals"] | None,
    as_json: bool,
) -> None:
    """The dictionary: which column a custom field is."""
    from .fields import dictionary

    if click.get_current_context().invoked_subcommand is None:
        dictionary(context.settings(), entity, as_json=as_json)


@fields.command()
@command
def diff(context: Context) -> None:
    """What the next run will change: asks Pipedrive for the definitions, writes nothing."""
    from .fields import diff as compare

    found = compare(context.settings())
    for change in found.changes:
        click.echo(change.text)
    if not found.changes:
        click.echo("no differences")
    context.log.write(
        f"{found.requests} requests, {found.tokens} tokens",
        "cost",
        requests=found.requests,
        tokens=found.tokens,
    )


@fields.command()
@_ENTITY
@click.option("--yes", is_flag=True, help="Do not ask.")
@command
def prune(
    context: Context,
    entity: Literal["leads", "persons", "organizations", "deals"] | None,
    yes: bool,
) -> None:
    """Drop earlier names of renamed columns. Columns and their values stay."""
    from .fields import old_names
    from .fields import prune as prune_names
    from .narration import narrator

    settings = context.settings()
    names = old_names(settings, entity)
    for name in names:
        click.echo(name.text)
    if not names:
        context.log.write("There is nothing to prune.")
        return
    if not yes and not click.confirm(
        "Queries that use these names will fail. Drop them?", err=True
    ):
        context.log.write("Nothing was dropped.")
        return
    with narrator(context.log) as speaking:
        _, result = prune_names(settings, speaking, entity)
    if result and result.error:
        raise result.error


@click.group()
def transforms() -> None:
    """Look at the SQL that makes the tables."""


@transforms.command()
@click.argument("entity", type=click.Choice(("leads", "persons", "organizations", "deals")))
@command
def show(context: Context, entity: Literal["leads", "persons", "organizations", "deals"]) -> None:
    """Print the SQL generated for an entity's custom fields."""
    from .queries import generated_sql

    click.echo(generated_sql(context.settings(), entity))


@click.group("config")
def config_commands() -> None:
    """Look at the configuration."""


@config_commands.command("show")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@command
def config_show(context: Context, as_json: bool) -> None:
    """Each key, its value, and where that comes from; secrets are masked."""
    from .config import read_configuration
    from .config_show import print_shown, show_configuration
    from .errors import ConfigError

    shown = show_configuration(read_configuration(context.config))
    if as_json:
        click.echo(json.dumps(shown.as_dict(), indent=2))
    else:
        print_shown(shown, sys.stdout)
    for warning in shown.warnings:
        context.log.write(warning, "config", "warning")
    if shown.problems:
        raise ConfigError("\n".join(shown.problems), "docs/configuration.md lists every key.")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@command
def doctor(context: Context, as_json: bool) -> None:
    """Check configuration, token, rights, endpoints, budget and files; writes nothing."""
    from .doctor import examine, print_finding

    def on_finding(finding: Finding) -> None:
        if not as_json:
            print_finding(finding, sys.stdout)

    report = examine(context.config, context.log, on_finding)
    if as_json:
        click.echo(json.dumps(report.as_dict(), indent=2))
    sys.exit(report.exit_code)
