"""Ad-hoc SQL on the published file, and the rows as text for people and programs."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import duckdb
import msgspec

from .connect import open_published
from .errors import QueryError

_SHOWN = 100  # rows of a table on a terminal
_BATCH = 10_000
_JSON = msgspec.json.Encoder(decimal_format="number", enc_hook=str)


@dataclass(frozen=True)
class Result:
    """A running query: column names, their SQL types, and batches of rows."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    batches: Iterator[list[tuple[Any, ...]]]


def run_query(path: Path, sql: str, write: Callable[[Result], None]) -> None:
    """Run `sql` read-only on the published file and hand the result to `write`.

    Raises QueryError with DuckDB's own words where the SQL does not run.
    """
    with open_published(path) as connection:
        try:
            cursor = connection.execute(sql)
            described = cursor.description or []
            write(
                Result(
                    tuple(str(column[0]) for column in described),
                    tuple(str(column[1]) for column in described),
                    _batches(cursor),
                )
            )
        except duckdb.Error as error:
            raise QueryError(
                str(error), "pipeduck query 'show tables' lists what there is."
            ) from error


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
    """A table for reading, with types under the names; the first 100 rows of many."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, kind in zip(result.columns, result.types, strict=True):
        is_number = kind.startswith(("BIGINT", "DOUBLE", "DECIMAL", "INTEGER", "HUGEINT", "NUMBER"))
        shown = kind.lower().replace("timestamp with time zone", "timestamptz")
        header = Text.assemble((name, "bold"), "\n", (shown, "dim"))
        table.add_column(header, justify="right" if is_number else "left", overflow="ellipsis")
    rows = 0
    for batch in result.batches:
        for row in batch[: max(0, _SHOWN - rows)]:
            table.add_row(*(Text(_cell(value)) for value in row))
        rows += len(batch)
    is_terminal = stream.isatty()
    console = Console(file=stream, width=None if is_terminal else 32_000, highlight=False)
    if result.columns:
        console.print(table)
    return rows


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
    for batch in result.batches:
        for row in batch:
            record = dict(zip(result.columns, map(_plain, row), strict=True))
            yield _JSON.encode(record).decode()


def _plain(value: Any) -> Any:
    """A value JSON can hold as it is meant: times in UTC, nested values likewise."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
        return [_plain(item) for item in value]
    return value
