"""`pipeduck report`: the account in pictures."""

from __future__ import annotations

from pathlib import Path

import click

from .cli_options import Context, command


@click.command("report")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("report.html"),
    show_default=True,
    help="Where the page is written; - for stdout.",
)
@click.option("--open", "is_opened", is_flag=True, help="Show it in the browser.")
@command
def report(context: Context, output: Path, is_opened: bool) -> None:
    """One HTML page about the leads and the loads, from the published file alone."""
    from .html_report.write import make_report, write_report

    settings = context.settings()
    if str(output) == "-":
        if is_opened:
            raise click.UsageError("--open needs a file: name one with -o.")
        click.echo(make_report(settings), nl=False)
        return
    written = write_report(settings, output)
    size = written.stat().st_size
    context.log.write(
        f"wrote {output}, {size // 1000:,} kB", "report", file=str(written), size=size
    )
    if is_opened:
        import webbrowser

        if not webbrowser.open(written.as_uri()):
            context.log.write(f"No browser was found; open {written.as_uri()} in one.")
