"""Commands that look into the published file: query, tables, columns, shell."""

from __future__ import annotations

import functools
import sys
from pathlib import Path

import click

from .cli_options import Context, command, tell

FORMATS = ("table", "csv", "json", "jsonl", "markdown", "parquet")
ENDINGS = {
    ".txt": "table",
    ".csv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".md": "markdown",
    ".parquet": "parquet",
}
"""The format of a file, by the ending of its name."""

_UNSAFE = click.option(
    "--unsafe",
    is_flag=True,
    help="Let SQL reach other files and the network; see docs/querying.md.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="For programs.")


@click.command()
@click.argument("sql", required=False)
@click.option(
    "--file",
    "file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Read the SQL from a file.",
)
@click.option(
    "-p",
    "--param",
    "params",
    multiple=True,
    metavar="NAME=VALUE",
    help="Bind a value to $NAME, as text. May be repeated.",
)
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="How rows are written; otherwise by the ending of the output file, or a table.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to a file.")
@click.option("--limit", type=click.IntRange(min=0), help="No more rows than this.")
@_UNSAFE
@command
def query(
    context: Context,
    sql: str | None,
    file: Path | None,
    params: tuple[str, ...],
    form: str | None,
    output: Path | None,
    limit: int | None,
    unsafe: bool,
) -> None:
    """Run SQL, read-only, on the published file.

    SQL is `-` or left out to read it from stdin. Of several statements the last one's rows count.
    """
    text = _sql(sql, file)
    values = _values(params)
    form = form or _form(output)

    from .queries import query as run_sql

    written = run_sql(
        context.settings(), text, form, output, values=values, limit=limit, is_unsafe=unsafe
    )
    counted = f"{written.rows:,} row{'' if written.rows == 1 else 's'}"
    more = ", and there are more" if written.has_more else ""
    context.log.write(counted + more, "query", **written._asdict())


@click.command()
@_JSON
@command
def tables(context: Context, as_json: bool) -> None:
    """The tables of the published file: rows, and what one row is."""
    from .queries import tables as list_tables

    list_tables(context.settings(), as_json=as_json)


@click.command()
@click.argument("table")
@_JSON
@command
def columns(context: Context, table: str, as_json: bool) -> None:
    """The columns of TABLE: type, label, share of rows with a value, examples."""
    from .queries import columns as list_columns

    list_columns(context.settings(), table, as_json=as_json)


@click.command()
@_UNSAFE
@command
def shell(context: Context, unsafe: bool) -> None:
    """A prompt for SQL on the published file; .help tells what it knows."""
    from .shell import run_shell

    told = functools.partial(tell, log=context.log, is_debug=context.is_debug)
    sys.exit(run_shell(context.settings(), told, is_unsafe=unsafe))


def _sql(sql: str | None, file: Path | None) -> str:
    """The SQL of the argument, the file or stdin. Raises UsageError where there is none."""
    if file:
        if sql is not None:
            raise click.UsageError("SQL is given twice: as an argument and with --file.")
        try:
            return file.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise click.UsageError(f"{file} cannot be read as UTF-8 text: {error}.") from error
    if sql is None and sys.stdin.isatty():
        raise click.UsageError("There is no SQL: give it as an argument, with --file or on stdin.")
    if sql not in (None, "-"):
        return sql
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.UsageError(f"stdin is not UTF-8 text: {error}.") from error


def _values(params: tuple[str, ...]) -> dict[str, str]:
    values: dict[str, str] = {}
    for param in params:
        name, equals, value = param.partition("=")
        name = name.strip().removeprefix("$")
        if not equals or not name:
            raise click.BadParameter(f"{param!r} is not NAME=VALUE.", param_hint="-p")
        if name in values:
            raise click.BadParameter(f"{name} is given twice.", param_hint="-p")
        values[name] = value
    return values


def _form(output: Path | None) -> str:
    if output is None or (output.exists() and not output.is_file()):
        return "table"
    form = ENDINGS.get(output.suffix.lower())
    if form is None:
        raise click.UsageError(
            f"{output.name} does not say a format: say it with -f, or end the name with "
            f"{', '.join(ENDINGS)}."
        )
    return form
