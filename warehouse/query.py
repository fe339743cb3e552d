"""Ad-hoc SQL on the published file, and the rows as text for people and programs."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import duckdb
import msgspec

from .connect import open_published
from .errors import QueryError

if TYPE_CHECKING:
    from rich.table import Table

_HELP = "pipeduck query 'show tables' lists what there is."
_SHOWN = 100  # rows of a table on a terminal
_NARROW = 30  # characters that a column of a table gets at least, where it has as many
_BATCH = 10_000
_NUMBERS = ("bigint", "double", "decimal", "integer", "hugeint", "ubigint", "float")
_JSON = msgspec.json.Encoder(decimal_format="number", enc_hook=str)


@dataclass(frozen=True)
class Result:
    """A running query: column names, their SQL types, and batches of rows."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    batches: Iterator[list[tuple[Any, ...]]]


def run_query(path: Path, sql: str, write: Callable[[Result], None], *, key: str = "") -> None:
    """Run `sql` read-only on the published file and hand the result to `write`.

    Raises QueryError with DuckDB's own words where the SQL does not run.
    """
    with open_published(path, key=key) as connection:
        try:
            cursor = connection.execute(sql)
            if cursor is None:  # nothing but white space and comments
                raise QueryError("There is no SQL to run.", _HELP)
            described = cursor.description or []
            write(
                Result(
                    tuple(str(column[0]) for column in described),
                    tuple(str(column[1]) for column in described),
                    _batches(cursor),
                )
            )
        except duckdb.Error as error:
            raise QueryError(str(error), _HELP) from error


def _batches(cursor: duckdb.DuckDBPyConnection) -> Iterator[list[tuple[Any, ...]]]:
    while batch := cursor.fetchmany(_BATCH):
        yield batch


def write_csv(result: Result, stream: TextIO) -> int:
    """RFC 4180 with a header; NULL is empty, lists and structs are JSON, times are UTC."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(result.columns)
    rows = 0
    for batch in result.batches:
        writer.writerows([[as_text(value) for value in row] for row in batch])
        rows += len(batch)
    return rows


def write_json(result: Result, stream: TextIO) -> int:
    """One JSON array of objects."""
    rows = 0
    stream.write("[")
    for line in _json_lines(result):
        stream.write((",\n " if rows else "\n ") + line)
        rows += 1
    stream.write("\n]\n" if rows else "]\n")
    return rows


def write_jsonl(result: Result, stream: TextIO) -> int:
    """One JSON object a line."""
    rows = 0
    for line in _json_lines(result):
        stream.write(line + "\n")
        rows += 1
    return rows


def write_table(result: Result, stream: TextIO) -> int:
    """A table for reading, with types under the names; the first 100 rows of many.

    On a terminal that is too narrow each row is written as a block, one column a line.
    """
    from rich.console import Console

    rows = 0
    cells: list[list[str]] = []
    for batch in result.batches:
        cells += [[_cell(value) for value in row] for row in batch[: max(0, _SHOWN - rows)]]
        rows += len(batch)
    console = Console(
        file=stream, width=None if stream.isatty() else 32_000, highlight=False, markup=False
    )
    types = [
        kind.lower().replace("timestamp with time zone", "timestamptz") for kind in result.types
    ]
    widths = [
        max(map(len, [name, kind[:_NARROW], *(row[i][:_NARROW] for row in cells)]))
        for i, (name, kind) in enumerate(zip(result.columns, types, strict=True))
    ]
    if result.columns and sum(widths) + 3 * len(widths) <= console.width:
        console.print(_table(result.columns, types, cells))
    else:
        for number, row in enumerate(cells, 1):
            console.print(_block(number, result.columns, row))
    return rows


def _table(columns: Sequence[str], types: Sequence[str], cells: Sequence[Sequence[str]]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, kind in zip(columns, types, strict=True):
        table.add_column(
            Text.assemble((name, "bold"), "\n", (kind, "dim")),
            justify="right" if kind.startswith(_NUMBERS) else "left",
            overflow="fold",
        )
    for row in cells:
        table.add_row(*map(Text, row))
    return table


def _block(number: int, columns: Sequence[str], row: Sequence[str]) -> Table:
    from rich.table import Table
    from rich.text import Text

    block = Table(
        title=f"row {number}", title_justify="left", box=None, show_header=False, pad_edge=False
    )
    block.add_column(style="bold")
    block.add_column(overflow="fold")
    for name, value in zip(columns, row, strict=True):
        block.add_row(Text(name), Text(value))
    return block


FORMATS: dict[str, Callable[[Result, TextIO], int]] = {
    "table": write_table,
    "csv": write_csv,
    "json": write_json,
    "jsonl": write_jsonl,
}


def as_text(value: Any) -> str:
    """A value as one cell: NULL empty, times in UTC with a `Z`, nested values as JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        if value.tzinfo is None:
            return value.isoformat(sep=" ")
        return value.astimezone(UTC).isoformat(sep=" ").replace("+00:00", "Z")
    if isinstance(value, list | dict | tuple):
        return _JSON.encode(_plain(value)).decode()
    return str(value)


def _cell(value: Any) -> str:
    """A value for reading: as in CSV, but lists of plain values without brackets."""
    if isinstance(value, list) and not any(isinstance(item, list | dict) for item in value):
        return ", ".join(as_text(item) for item in value)
    return as_text(value)


def _json_lines(result: Result) -> Iterator[str]:
    names = _distinct(result.columns)
    for batch in result.batches:
        for row in batch:
            record = dict(zip(names, map(_plain, row), strict=True))
            yield _JSON.encode(record).decode()


def _distinct(names: Sequence[str]) -> list[str]:
    """Names as keys of an object: a second `a` is `a_1`, so that no value gets lost."""
    distinct: list[str] = []
    for name in names:
        number, key = 0, name
        while key in distinct:
            number += 1
            key = f"{name}_{number}"
        distinct.append(key)
    return distinct


def _plain(value: Any) -> Any:
    """A value JSON can hold as it is meant: times in UTC, nested values likewise."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
        return [_plain(item) for item in value]
    return value
