"""`pipeduck`: each command is a thin wrapper of a function that can be imported.

stdout is data, stderr is narration. Nothing heavy is imported until a command needs it.
"""

from __future__ import annotations

import functools
import sys
import traceback
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from .errors import is_told

if TYPE_CHECKING:
    from .config import Settings
    from .readings import Scope

RESOURCES = ("leads", "archived_leads", "persons", "organizations", "deals")
FORMATS = ("table", "csv", "json", "jsonl")


class Context:
    """What the options common to all commands say."""

    config: Path | None = None
    is_debug: bool = False

    def settings(self) -> Settings:
        """The settings of this call."""
        from .config import load_settings

        return load_settings(self.config)


def command(function: Callable[..., None]) -> Callable[..., None]:
    """The options every command has, also after its name, and one place where errors are told."""

    @click.option(
        "--config", type=click.Path(path_type=Path), metavar="FILE", help="Another config.toml."
    )
    @click.option("--debug", is_flag=True, help="Show a traceback when something goes wrong.")
    @click.pass_context
    def wrapped(
        click_context: click.Context, /, config: Path | None, debug: bool, **kw: Any
    ) -> None:
        context = click_context.ensure_object(Context)
        context.config = config or context.config
        context.is_debug = debug or context.is_debug
        try:
            function(context, **kw)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:
            sys.stderr.close()  # the reader of stdout has gone: nothing to tell
            sys.exit(0)
        except Exception as error:  # the one place where errors are told
            sys.exit(tell(error, is_debug=context.is_debug))

    return functools.update_wrapper(wrapped, function)


def tell(error: Exception, *, is_debug: bool) -> int:
    """Say on stderr what is wrong and what to do; returns the exit code."""
    if is_debug:
        traceback.print_exception(error)
    if not is_told(error):
        click.echo(f"Error: {type(error).__name__}: {error}", err=True)
        click.echo("This was not expected. --debug shows where it happened.", err=True)
        return 1
    click.echo(f"Error: {error.message}", err=True)
    if error.hint:
        click.echo(error.hint, err=True)
    return error.exit_code


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("pipeduck"), prog_name="pipeduck")
@click.option(
    "--config", type=click.Path(path_type=Path), metavar="FILE", help="Another config.toml."
)
@click.option("--debug", is_flag=True, help="Show a traceback when something goes wrong.")
@click.pass_context
def main(click_context: click.Context, config: Path | None, debug: bool) -> None:
    """Pipedrive in DuckDB, every custom field a named, typed column.

    Exit codes: 0 fine, 1 unexpected, 2 usage or configuration, 3 partial, 4 a check or guard
    refused, 75 try again later, 77 not allowed.
    """
    context = click_context.ensure_object(Context)
    context.config, context.is_debug = config, debug


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


@main.command()
@_RESOURCE
@click.option("--full-refresh", is_flag=True, help="Read everything again, not only what changed.")
@_REPORT
@command
def run(
    context: Context, resources: tuple[str, ...], full_refresh: bool, report: Path | None
) -> None:
    """Load what is new, transform, publish."""
    from .readings import Scope

    _run(context, Scope(resources, is_whole=full_refresh), report)


@main.command()
@_RESOURCE
@click.option(
    "--accept-deletions",
    is_flag=True,
    help="Mark what is missing as deleted, however much it is.",
)
@_REPORT
@command
def reconcile(
    context: Context, resources: tuple[str, ...], accept_deletions: bool, report: Path | None
) -> None:
    """List everything, heal what differs, mark what is gone; then transform, publish."""
    from .readings import Scope

    scope = Scope(resources, is_whole=True, accepts_deletions=accept_deletions, command="reconcile")
    _run(context, scope, report)


def _run(context: Context, scope: Scope, report: Path | None) -> None:
    from .narration import narrator
    from .report import write_report
    from .run import run as run_all

    settings = context.settings()
    with narrator() as speaking:
        result = run_all(settings, speaking, scope)
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

    with narrator() as speaking:
        result = rebuild(context.settings(), speaking, is_full=full)
    if result.error:
        raise result.error


@main.command()
@click.argument("sql")
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="table",
    show_default=True,
    help="How rows are written.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to a file.")
@command
def query(context: Context, sql: str, form: str, output: Path | None) -> None:
    """Run SQL, read-only, on the published file."""
    from .queries import query as run_sql

    rows = run_sql(context.settings(), sql, form, output)
    click.echo(f"{rows:,} row{'' if rows == 1 else 's'}", err=True)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@command
def status(context: Context, as_json: bool) -> None:
    """How fresh the warehouse is, what the last runs did and cost."""
    import json

    from .status import print_status, read_status

    found = read_status(context.settings())
    if as_json:
        click.echo(json.dumps(found.as_dict(), default=str, indent=2))
    else:
        print_status(found, sys.stdout)


_ENTITY = click.option(
    "--entity",
    type=click.Choice(("leads", "persons", "organizations", "deals")),
    help="Only the fields of this.",
)


@main.group(invoke_without_command=True)
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
    click.echo(f"{found.requests} requests, {found.tokens} tokens", err=True)


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
        click.echo("There is nothing to prune.", err=True)
        return
    if not yes and not click.confirm(
        "Queries that use these names will fail. Drop them?", err=True
    ):
        click.echo("Nothing was dropped.", err=True)
        return
    with narrator() as speaking:
        _, result = prune_names(settings, speaking, entity)
    if result and result.error:
        raise result.error


@main.group()
def transforms() -> None:
    """Look at the SQL that makes the tables."""


@transforms.command()
@click.argument("entity", type=click.Choice(("leads", "persons", "organizations", "deals")))
@command
def show(context: Context, entity: Literal["leads", "persons", "organizations", "deals"]) -> None:
    """Print the SQL generated for an entity's custom fields."""
    from .queries import generated_sql

    click.echo(generated_sql(context.settings(), entity))


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
