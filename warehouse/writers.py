"""The rows of a result as CSV, JSON, Markdown and Parquet, written while they come."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from typing import BinaryIO, TextIO

from .errors import QueryError
from .query import Result
from .table import is_number, write_table
from .values import JSON, as_cell, as_plain, as_text

_ROW_GROUP = 122_880  # rows; DuckDB's own, and what a reader takes in at once
_MARKDOWN = re.compile(r"[\\`*\[\]|<&]|(?<!\w)_|_(?!\w)")


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


def write_markdown(result: Result, stream: TextIO) -> int:
    """A table of GitHub's Markdown; what would be markup is escaped, line breaks are `<br>`."""

    def line(cells: list[str]) -> str:
        return "| " + " | ".join(cells) + " |\n"

    stream.write(line([_markdown(name) for name in result.columns]))
    stream.write(line(["--:" if is_number(kind) else "---" for kind in result.types]))
    rows = 0
    for batch in result.batches:
        stream.writelines(line([_markdown(as_cell(value)) for value in row]) for row in batch)
        rows += len(batch)
    return rows


def write_parquet(result: Result, stream: BinaryIO) -> int:
    """Parquet with zstd, in row groups of 122,880 rows, of which one is in memory.

    Decimals, lists, structs and times in UTC keep their types; HUGEINT, the type of a sum, is
    DECIMAL(38,0). Raises QueryError for an INTERVAL, which Parquet has no place for.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    assert result.arrow is not None, "only a query's result can be Parquet"
    given, batches = result.arrow(_ROW_GROUP)
    schema = pa.schema(
        [field.with_name(name) for field, name in zip(given, result.names, strict=True)]
    )
    rows = 0
    try:
        with pq.ParquetWriter(stream, schema, compression="zstd") as writer:
            for batch in batches:
                writer.write_batch(pa.record_batch(batch.columns, schema=schema))
                rows += batch.num_rows
    except pa.ArrowNotImplementedError as error:
        wrong = [
            f"{name} ({kind})"
            for name, kind in zip(result.columns, result.types, strict=True)
            if "INTERVAL" in kind
        ]
        raise QueryError(
            f"Parquet has no type for {', '.join(wrong) or 'one of the columns'}.",
            "Cast it in the query: to varchar, or an interval to a number with epoch().",
        ) from error
    return rows


FORMATS: dict[str, Callable[[Result, TextIO], int]] = {
    "table": write_table,
    "csv": write_csv,
    "json": write_json,
    "jsonl": write_jsonl,
    "markdown": write_markdown,
}
"""What writes text; `write_parquet` writes bytes. Each returns how many rows there were."""


def _json_lines(result: Result) -> Iterator[str]:
    names = result.names
    for batch in result.batches:
        for row in batch:
            record = dict(zip(names, map(as_plain, row), strict=True))
            yield JSON.encode(record).decode()


def _markdown(text: str) -> str:
    escaped = _MARKDOWN.sub(lambda found: _ENTITIES.get(found[0], f"\\{found[0]}"), text)
    return escaped.replace("\n", "<br>")


_ENTITIES = {"<": "&lt;", "&": "&amp;"}
