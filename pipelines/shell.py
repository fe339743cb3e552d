"""`pipeduck shell`: SQL and a few commands with a dot, from a prompt or from a pipe.

What a person types is read by `shell_prompt`; everything here works without a terminal.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

import click
import duckdb

from warehouse.connect import open_published
from warehouse.describe import columns_by_table, describe_columns, describe_tables
from warehouse.errors import QueryError, WarehouseError
from warehouse.query import Result, run_sql
from warehouse.writers import FORMATS

from .cli_query import ENDINGS
from .config import Settings
from .queries import write_columns, write_file, write_tables

COMMANDS = {
    ".tables": "the tables: rows, and what one row is",
    ".columns TABLE": "its columns: type, label, share of rows with a value, examples",
    ".export FILE": "the last query into a file: " + " ".join(ENDINGS),
    ".mode [FORMAT]": "how rows are shown: " + " ".join(FORMATS),
    ".reload": "open the newest published file; temporary tables go",
    ".help": "this",
    ".quit": "leave; so does Ctrl-D",
}
"""What the shell knows beside SQL."""

_SPACE = r"--[^\n]*|/\*.*?\*/"
_QUOTED = re.compile(
    rf"""{_SPACE}|[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|(\$\w*\$).*?\1""",
    re.DOTALL,
)
_OPEN = re.compile(r"""['"]|/\*|\$\w*\$""")


class Leave(Exception):
    """The person is done."""


def run_shell(
    settings: Settings, told: Callable[[Exception], int], *, is_unsafe: bool = False
) -> int:
    """Read statements until there are no more; returns the exit code.

    On a terminal that is 0. From a pipe it is that of the last error, told by `told`; what comes
    after an error runs all the same. Raises NothingPublished, WarehouseLocked, KeyRefused.
    """
    is_prompt = sys.stdin.isatty() and sys.stdout.isatty()
    exit_code = 0
    with Shell(settings, sys.stdout, is_unsafe=is_unsafe) as shell:
        if is_prompt:
            from .shell_prompt import prompted

            click.echo("SQL ends with ;   .help tells what else there is", err=True)
            texts: Iterable[str] = prompted(shell.names, shell.keywords())
        else:
            texts = statements(sys.stdin)
        for text in texts:
            try:
                shell.handle(text)
            except Leave:
                break
            except KeyboardInterrupt:
                if not is_prompt:
                    raise
                click.echo("interrupted", err=True)
            except WarehouseError as error:
                exit_code = told(error)
    return 0 if is_prompt else exit_code


class Shell:
    """One published file, held open, and what is done with it."""

    def __init__(self, settings: Settings, out: TextIO, *, is_unsafe: bool = False) -> None:
        self.mode = "table"
        self.names: dict[str, list[str]] = {}
        """The columns of each table, for completion."""
        self._place = settings.warehouse
        self._out = out
        self._is_unsafe = is_unsafe
        self._last = ""
        self._stack = ExitStack()

    def __enter__(self) -> Shell:
        self._open()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def keywords(self) -> list[str]:
        """SQL's words, for completion."""
        found = self._connection.execute("select keyword_name from duckdb_keywords()").fetchall()
        return [name for (name,) in found]

    def handle(self, text: str) -> None:
        """Run a statement or a command with a dot.

        Raises QueryError, WarehouseUnusable, DiskFull; KeyboardInterrupt for Ctrl-C; Leave.
        """
        text = text.strip()
        if text.startswith("."):
            name, _, argument = text.rstrip(";").strip().partition(" ")
            self._command(name.lower(), argument.strip())
        elif _without_quoted(text).strip(" \t\r\n;"):
            self._tell_newer()
            run_sql(self._connection, text, self._show)
            self._last = text
            self.names.update(columns_by_table(self._connection))

    def _open(self) -> None:
        self._stack.close()  # DuckDB would give the same file again while it is open
        key = self._place.encryption_key
        self._connection: duckdb.DuckDBPyConnection = self._stack.enter_context(
            open_published(self._place.publish, key=key, is_unsafe=self._is_unsafe)
        )
        self._opened = self._published()
        self.names.clear()
        self.names.update(columns_by_table(self._connection))

    def _published(self) -> tuple[int, int] | None:
        try:
            state = self._place.publish.stat()
        except OSError:
            return None
        return state.st_ino, state.st_mtime_ns

    def _tell_newer(self) -> None:
        published = self._published()
        if published not in (None, self._opened):
            self._opened = published  # told once
            click.echo("A newer file was published; .reload opens it.", err=True)

    def _command(self, name: str, argument: str) -> None:
        if name == ".tables":
            write_tables(describe_tables(self._connection), self._out)
        elif name == ".columns" and argument:
            write_columns(describe_columns(self._connection, argument), self._out)
        elif name == ".export" and argument:
            self._export(Path(argument.strip("'\"")).expanduser())
        elif name == ".mode":
            self._set_mode(argument)
        elif name == ".reload":
            self._open()
        elif name == ".help":
            width = max(map(len, COMMANDS))
            for command, does in COMMANDS.items():
                self._say(f"{command:<{width}}  {does}")
        elif name in (".quit", ".exit"):
            raise Leave
        else:
            known = [command for command in COMMANDS if command.split()[0] == name]
            raise QueryError(
                f"{name} wants more: {known[0]}." if known else f"There is no command {name}.",
                ".help lists what there is.",
            )

    def _set_mode(self, mode: str) -> None:
        if mode and mode not in FORMATS:
            raise QueryError(f"There is no mode {mode}.", f"Known are {', '.join(FORMATS)}.")
        self.mode = mode or self.mode
        if not mode:
            self._say(self.mode)

    def _export(self, file: Path) -> None:
        form = ENDINGS.get(file.suffix.lower())
        if form is None:
            raise QueryError(
                f"{file.name} does not say a format.", f"End it with {', '.join(ENDINGS)}."
            )
        if file.resolve() in (self._place.publish.resolve(), self._place.path.resolve()):
            raise QueryError(f"{file} is pipeduck's own file.", "Choose another name.")
        if not self._last:
            raise QueryError("There is no query to export yet.", "Run one first.")
        rows = 0

        def write(result: Result) -> None:
            nonlocal rows
            rows = write_file(result, file, form)

        run_sql(self._connection, self._last, write)
        click.echo(f"{_counted(rows)} in {file}", err=True)

    def _show(self, result: Result) -> None:
        rows = FORMATS[self.mode](result, self._out)
        self._out.flush()
        click.echo(_counted(rows), err=True)

    def _say(self, text: str) -> None:
        self._out.write(text + "\n")


def statements(lines: Iterable[str]) -> Iterator[str]:
    """Statements and commands out of lines; the last statement needs no semicolon."""
    text = ""
    for line in lines:
        text += line
        if is_complete(text):
            if text.strip():
                yield text
            text = ""
    if text.strip():
        yield text


def is_complete(text: str) -> bool:
    """Whether `text` can be run: nothing, a command with a dot, or SQL that ends with `;`.

    A semicolon in quotes or in a comment ends nothing.
    """
    stripped = text.strip()
    if not stripped or stripped.startswith("."):
        return True
    code = _without_quoted(stripped)
    return code.rstrip().endswith(";") and not _OPEN.search(code)


def _without_quoted(text: str) -> str:
    return _QUOTED.sub(lambda found: " " if re.match(_SPACE, found[0]) else "x", text)


def _counted(rows: int) -> str:
    return f"{rows:,} row{'' if rows == 1 else 's'}"
