"""Exports read back, each format by a reader that is not ours: DuckDB, json, pyarrow, openpyxl."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pyarrow.parquet
from expected import Row

from warehouse.export.job import Wanted, export
from warehouse.export.manifest import Entry


def run(published: Path, out: Path | str, **wanted: Any) -> list[Entry]:
    return export(published, Wanted(out=str(out), **wanted))


def rows_of(file: Path, types: dict[str, str], sheet: str | None = None) -> list[Row]:
    """The rows of an exported file, as Python has values of these DuckDB types."""
    if file.suffix == ".parquet":
        found: list[Row] = pyarrow.parquet.read_table(file).to_pylist()
        return [{name: _inward(row[name], types[name]) for name in row} for row in found]
    if file.suffix == ".jsonl":
        lines = file.read_bytes().decode().split("\n")[:-1]
        return [
            {name: _value(value, types[name]) for name, value in _load(line).items()}
            for line in lines
        ]
    if file.suffix == ".csv":
        with duckdb.connect() as connection:
            found_csv = connection.execute(
                "from read_csv($file, header = true, all_varchar = true, delim = ',', quote = '\"',"
                " escape = '\"', allow_quoted_nulls = false, auto_detect = false, parallel = false,"
                f" columns = {{{', '.join(repr(name) + ': varchar' for name in types)}}})",
                {"file": str(file)},
            )
            names = [column[0] for column in found_csv.description or ()]
            return [
                {name: _value(text, types[name]) for name, text in zip(names, row, strict=True)}
                for row in found_csv.fetchall()
            ]
    book = openpyxl.load_workbook(file)
    cells = list((book[sheet] if sheet else book.worksheets[0]).iter_rows(values_only=True))
    headers = [str(cell) for cell in cells[0]]
    return [
        {name: _cell(cell, types[name]) for name, cell in zip(headers, row, strict=True)}
        for row in cells[1:]
    ]


def as_read(value: Any, kind: str, form: str) -> Any:
    """What a value of a table is when it is read back, beyond which a format cannot go."""
    if value is None:
        return None
    if kind == "JSON":
        return _load(value)
    if form == "xlsx" and isinstance(value, datetime):
        moment = value.astimezone(UTC) if value.tzinfo else value
        return _to_milliseconds(moment)
    if form == "xlsx" and isinstance(value, time):
        return _to_milliseconds(datetime.combine(date(2000, 1, 1), value)).time()
    return _inward(value, kind)


def same(one: Any, other: Any) -> bool:
    """Equal, and NaN is NaN."""
    return bool(one == other or (one != one and other != other))


def _load(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


def _value(value: Any, kind: str) -> Any:
    """Text, or what JSON makes of a value, as a value of a DuckDB type."""
    if value is None:
        return None
    if kind == "JSON":
        return _load(value) if isinstance(value, str) and not _is_from_json(value) else value
    if kind.endswith("]") or kind.startswith("STRUCT"):
        return _load(value) if isinstance(value, str) else value
    if kind == "BOOLEAN":
        return {"true": True, "false": False}.get(value, value)
    readers: dict[str, Any] = {
        "BIGINT": int,
        "INTEGER": int,
        "DOUBLE": float,
        "DATE": date.fromisoformat,
        "TIME": time.fromisoformat,
        "TIMESTAMP": datetime.fromisoformat,
        "TIMESTAMP WITH TIME ZONE": datetime.fromisoformat,
        "VARCHAR": str,
    }
    if kind.startswith("DECIMAL"):
        return Decimal(str(value))
    return readers[kind](value)


def _is_from_json(value: Any) -> bool:
    return not isinstance(value, str)


def _inward(value: Any, kind: str) -> Any:
    """A value as pyarrow and DuckDB give it, with times in one time zone."""
    if isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(UTC)
    if kind == "JSON" and isinstance(value, str):
        return _load(value)
    return value


def _cell(value: Any, kind: str) -> Any:
    """A cell as openpyxl reads it; it leaves Excel's escapes of control characters as they are."""
    if isinstance(value, str):
        value = re.sub(r"_x([0-9A-F]{4})_", lambda found: chr(int(found[1], 16)), value)
    if value is None:
        return None
    if kind == "DATE" and isinstance(value, datetime):
        return value.date()
    if kind == "TIMESTAMP WITH TIME ZONE" and isinstance(value, datetime):
        return _to_milliseconds(value).replace(tzinfo=UTC)
    if kind == "TIMESTAMP" and isinstance(value, datetime):
        return _to_milliseconds(value)
    if kind == "TIME" and isinstance(value, time):
        return _to_milliseconds(datetime.combine(date(2000, 1, 1), value)).time()
    if kind == "TIMESTAMP WITH TIME ZONE":
        return _to_milliseconds(datetime.fromisoformat(value))
    if kind == "TIMESTAMP":
        return _to_milliseconds(datetime.fromisoformat(value))
    return _value(value, kind)


def _to_milliseconds(moment: datetime) -> datetime:
    rounded = moment + timedelta(microseconds=500)
    return rounded.replace(microsecond=rounded.microsecond // 1000 * 1000)
