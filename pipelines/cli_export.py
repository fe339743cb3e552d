"""`pipeduck export`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from .cli_options import Context, command


@click.command()
@click.option(
    "--tables",
    "-t",
    multiple=True,
    metavar="NAME[,NAME]",
    help="Which tables; every public one if none is named. May be repeated.",
)
@click.option("--query", metavar="SQL", help="The rows of a query instead.")
@click.option(
    "--file", type=click.Path(path_type=Path), metavar="FILE", help="The same, SQL from a file."
)
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(("csv", "parquet", "jsonl", "xlsx")),
    help="How rows are written; if not given, as the name of the file ends, else csv.",
)
@click.option(
    "-o",
    "--out",
    required=True,
    metavar="FOLDER|FILE|URL",
    help="A folder for a file per table, a file, an address of fsspec, or - for stdout.",
)
@click.option(
    "--partition-by",
    multiple=True,
    metavar="COLUMN[,COLUMN]",
    help="A folder per value: status=open/…",
)
@click.option(
    "--changed-since",
    metavar="last|TIME",
    help="Only what changed since the last export of changes to this target, or since a time.",
)
@click.option("--columns", multiple=True, metavar="NAME[,NAME]", help="Only these columns.")
@click.option("--labels", is_flag=True, help="Custom fields are headed as they are in Pipedrive.")
@click.option(
    "--safe-csv", is_flag=True, help="An apostrophe before text that a spreadsheet would compute."
)
@command
def export(
    context: Context,
    tables: tuple[str, ...],
    query: str | None,
    file: Path | None,
    form: Literal["csv", "parquet", "jsonl", "xlsx"] | None,
    out: str,
    partition_by: tuple[str, ...],
    changed_since: str | None,
    columns: tuple[str, ...],
    labels: bool,
    safe_csv: bool,
) -> None:
    """Copy tables or a query to files: whole, or what changed; with a manifest."""
    from .exports import Options, names, run_export

    run_export(
        context.settings(),
        Options(
            out=out,
            form=form,
            tables=names(tables),
            query=query,
            file=file,
            columns=names(columns),
            partition_by=names(partition_by),
            changed_since=changed_since,
            is_labelled=labels,
            is_safe=safe_csv,
        ),
        context.log,
    )
