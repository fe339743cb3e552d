"""`pipeduck query`, `tables`, `columns` and `transforms show`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple, TextIO, cast

from warehouse.connect import open_published, open_working_read_only
from warehouse.describe import ColumnInfo, TableInfo, describe_columns, describe_tables
from warehouse.errors import WarehouseUnusable
from warehouse.files import private_files, replace_file
from warehouse.query import NO_VALUES, Result, run_query
from warehouse.refusals import find_full_disk
from warehouse.table import SHOWN, short_type, write_table
from warehouse.values import JSON
from warehouse.writers import FORMATS, write_parquet

from .config import Settings
from .errors import ConfigError

_LONGEST = 24  # characters of an example in a table


class Written(NamedTuple):
    """How many rows were written, and whether a limit left some out."""

    rows: int
    has_more: bool


def query(
    settings: Settings,
    sql: str,
    form: str,
    output: Path | None = None,
    *,
    values: Mapping[str, str] = NO_VALUES,
    limit: int | None = None,
    is_unsafe: bool = False,
) -> Written:
    """Write the rows of `sql` to stdout, or whole or not at all to `output`.

    `form` is one of table, csv, json, jsonl, markdown and parquet; `values` are bound to `$name`.
    Raises NothingPublished, QueryError, WarehouseUnusable, DiskFull; ConfigError where `output` is
    one of our own files, or a terminal that is to get Parquet.
    """
    found = Written(0, False)

    def write(result: Result) -> None:
        nonlocal found
        rows = write_file(result, output, form) if output else _to_stdout(result, form, limit)
        found = Written(rows, result.has_more)

    place = settings.warehouse
    if output and output.resolve() in (place.publish.resolve(), place.path.resolve()):
        raise ConfigError(f"{output} is pipeduck's own file.", "Choose another place with -o.")
    if form == "parquet" and not output and sys.stdout.isatty():
        raise ConfigError("Parquet is nothing for a terminal.", "Name a file with -o.")
    run_query(
        place.publish,
        sql,
        write,
        key=place.encryption_key,
        values=values,
        limit=limit,
        is_unsafe=is_unsafe,
    )
    return found


def write_file(result: Result, output: Path, form: str) -> int:
    """Write all rows to `output`, whole or not at all; returns how many there are.

    Raises WarehouseUnusable, DiskFull.
    """
    target = output.resolve()
    # a pipe or a device is written to, not replaced
    is_special = target.exists() and not target.is_file()
    beside = target.with_name(f".{target.name or 'out'}.{os.getpid()}.tmp")
    try:
        if is_special:
            return _write(result, target, form)
        with private_files():
            rows = _write(result, beside, form)
        replace_file(beside, target)
    except OSError as error:
        if full := find_full_disk(error):
            raise full from error
        raise WarehouseUnusable(
            f"{output} cannot be written: {error.strerror}.", "Choose another place."
        ) from error
    else:
        return rows
    finally:
        if not is_special:
            with suppress(OSError):
                beside.unlink(missing_ok=True)


def tables(settings: Settings, *, as_json: bool = False) -> None:
    """Write name, rows and description of every table to stdout. Raises NothingPublished."""
    place = settings.warehouse
    with open_published(place.publish, key=place.encryption_key) as connection:
        found = describe_tables(connection)
    if as_json:
        _write_json([asdict(table) for table in found])
    else:
        write_tables(found, sys.stdout)


def columns(settings: Settings, table: str, *, as_json: bool = False) -> None:
    """Write what is in the columns of `table` to stdout.

    Raises NothingPublished, and QueryError where there is no such table.
    """
    place = settings.warehouse
    with open_published(place.publish, key=place.encryption_key) as connection:
        found = describe_columns(connection, table)
    if as_json:
        _write_json([asdict(column) for column in found])
    else:
        write_columns(found, sys.stdout)


def write_tables(found: Sequence[TableInfo], stream: TextIO) -> None:
    """Tables for reading."""
    rows = [(table.name, f"{table.rows:,}", table.description) for table in found]
    _write_text(("table", "rows", "description"), rows, stream, numbers=("rows",))


def write_columns(found: Sequence[ColumnInfo], stream: TextIO) -> None:
    """Columns for reading: a custom one has its label as description."""
    rows = [
        (
            column.name,
            _short(short_type(column.type)),
            _percent(column.filled),
            column.description,
            ", ".join(map(_short, column.examples)),
        )
        for column in found
    ]
    names = ("column", "type", "filled", "description", "examples")
    _write_text(names, rows, stream, numbers=("filled",))


def generated_sql(
    settings: Settings, entity: Literal["leads", "persons", "organizations", "deals"]
) -> str:
    """The SQL generated for the custom fields of `entity`, from what is loaded.

    Raises NothingLoaded, WarehouseLocked.
    """
    from transforms.runner import show

    with open_working_read_only(
        settings.warehouse.path, key=settings.warehouse.encryption_key
    ) as connection:
        return show(connection, entity)


def _write(result: Result, path: Path, form: str) -> int:
    if form == "parquet":
        with path.open("wb") as stream:
            return write_parquet(result, stream)
    with path.open("w", encoding="utf-8", newline="") as text:
        if form == "table":
            return write_table(result, text, shown=sys.maxsize)
        return FORMATS[form](result, text)


def _to_stdout(result: Result, form: str, limit: int | None) -> int:
    if form == "parquet":
        return write_parquet(result, cast(BinaryIO, sys.stdout.buffer))
    if form == "table":
        return write_table(result, sys.stdout, shown=SHOWN if limit is None else limit)
    return FORMATS[form](result, sys.stdout)


def _write_json(found: object) -> None:
    import msgspec

    sys.stdout.write(msgspec.json.format(JSON.encode(found), indent=2).decode() + "\n")


def _write_text(
    names: Sequence[str],
    rows: Sequence[Sequence[str]],
    stream: TextIO,
    *,
    numbers: Sequence[str] = (),
) -> None:
    """Rows of text, folded to the width of the terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    width = None if stream.isatty() else 32_000
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in names:
        shown.add_column(name, justify="right" if name in numbers else "left", overflow="fold")
    for row in rows:
        shown.add_row(*map(Text, row))
    Console(file=stream, width=width, highlight=False, markup=False).print(shown)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _percent(share: float | None) -> str:
    if share is None:
        return ""
    # neither all nor nothing is said where it is not so
    return f"{min(99, max(1, round(share * 100))) if 0 < share < 1 else round(share * 100)} %"
