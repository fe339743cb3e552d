"""Whatever is in a table is in the file: each format, read back by somebody else's reader."""

from __future__ import annotations

import tempfile
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from exported import as_read, rows_of, run, same
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.export.writers import FORMATS, Format

TYPES = {
    "id": "BIGINT",
    "text": "VARCHAR",
    "amount": "DECIMAL(18,4)",
    "number": "DOUBLE",
    "whole": "BIGINT",
    "flag": "BOOLEAN",
    "day": "DATE",
    "moment": "TIMESTAMP WITH TIME ZONE",
    "local": "TIMESTAMP",
    "hour": "TIME",
    "labels": "VARCHAR[]",
    "ids": "BIGINT[]",
    "emails": 'STRUCT("value" VARCHAR, "label" VARCHAR, is_primary BOOLEAN)[]',
    "received": "JSON",
}
ARROW = {
    "id": pa.int64(),
    "text": pa.string(),
    "amount": pa.decimal128(18, 4),
    "number": pa.float64(),
    "whole": pa.int64(),
    "flag": pa.bool_(),
    "day": pa.date32(),
    "moment": pa.timestamp("us", "UTC"),
    "local": pa.timestamp("us"),
    "hour": pa.time64("us"),
    "labels": pa.list_(pa.string()),
    "ids": pa.list_(pa.int64()),
    "emails": pa.list_(
        pa.struct({"value": pa.string(), "label": pa.string(), "is_primary": pa.bool_()})
    ),
    "received": pa.string(),
}

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=12) | st.sampled_from(
    ["00123", "1e5", "-5", "+49 30 1", "=1+1", "@x", "NULL", "null", "nan", "true", "2024-02-29",
     'a,"b"', '"', "'", "a\nb", "a\r\nb", "\r", "\t", " x ", "", "[1]", "{}", "_x0041_", "\\",
     "\\N", "🚀é漢", "a\0b", "#", ";", "--"]
)  # fmt: skip
longs = st.integers(-(2**63), 2**63 - 1)
amounts = st.decimals(Decimal("-99999999999999.9999"), Decimal("99999999999999.9999"), places=4)
rows = st.fixed_dictionaries(
    {
        "text": st.none() | texts,
        "amount": st.none() | amounts,
        "number": st.none() | st.floats(),
        "whole": st.none() | longs,
        "flag": st.none() | st.booleans(),
        "day": st.none() | st.dates(),
        "moment": st.none()
        | st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 30)).map(
            lambda moment: moment.replace(tzinfo=UTC)
        ),
        "local": st.none() | st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 30)),
        "hour": st.none() | st.times(),
        "labels": st.none() | st.lists(st.none() | texts, max_size=3),
        "ids": st.none() | st.lists(st.none() | longs, max_size=3),
        "emails": st.none()
        | st.lists(
            st.none()
            | st.fixed_dictionaries(
                {
                    "value": st.none() | texts,
                    "label": st.none() | texts,
                    "is_primary": st.none() | st.booleans(),
                }
            ),
            max_size=2,
        ),
        "received": st.none()
        | st.sampled_from(
            ['{"a": 1.10, "b": [null, "x\\ny"]}', "[ ]", '{\n "n": 12345678901234567.89}', "3"]
        ),
    }
)


def make(folder: Path, records: list[dict[str, Any]]) -> Path:
    """A published file with one table of these rows."""
    file = folder / "pipedrive.duckdb"
    table = pa.Table.from_pylist(
        [{"id": number, **record} for number, record in enumerate(records)],
        schema=pa.schema(list(ARROW.items())),
    )
    columns = ", ".join(f"{name}::{kind} as {name}" for name, kind in TYPES.items())
    with duckdb.connect(str(file)) as connection:
        connection.execute("set TimeZone = 'America/New_York'")
        connection.register("given", table)
        connection.execute(f"create table t as select {columns} from given order by id desc")
    return file


def check(record: dict[str, Any], found: dict[str, Any], form: Format) -> None:
    assert list(found) == list(TYPES)
    for name, kind in TYPES.items():
        expected = as_read(record[name], kind, form)
        if form == "xlsx" and expected == "" and kind == "VARCHAR":
            assert found[name] in {None, ""}  # openpyxl takes an empty cell for none
            continue
        assert same(expected, found[name]), (name, expected, found[name])


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=settings.default.max_examples // 2)
@given(records=st.lists(rows, max_size=4))
def test_a_file_read_back_equals_the_table(form: Format, records: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = make(folder, records)
        out = folder / f"t.{form}"
        (entry,) = run(file, out, form=form, keys={"t": ("id",)})
        assert {column.name: column.type for column in entry.columns} == TYPES
        assert entry.rows == len(records)
        found = rows_of(out, TYPES)
        assert [row["id"] for row in found] == list(range(len(records)))
        for number, record in enumerate(records):
            check({"id": number, **record}, found[number], form)


def test_the_corners_of_each_type_are_kept_in_every_format(tmp_path: Path) -> None:
    corners: list[dict[str, Any]] = [
        {"text": "00123", "amount": Decimal("99999999999999.9999"), "number": 0.1 + 0.2},
        {"text": "", "amount": Decimal("-0.0001"), "number": float("inf"), "whole": 2**53 + 1},
        {"day": date(1900, 2, 28), "moment": datetime(1899, 12, 31, 1, tzinfo=UTC)},
        {"day": date(1900, 3, 1), "moment": datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)},
        {"day": date(9999, 12, 31), "hour": time(23, 59, 59), "whole": -(2**63)},
        {"emails": [{"value": 'a\n"b"', "label": None, "is_primary": True}], "labels": []},
    ]
    records = [dict.fromkeys(list(TYPES)[1:]) | corner for corner in corners]
    file = make(tmp_path, records)
    for form in FORMATS:
        out = tmp_path / f"t.{form}"
        run(file, out, form=form, keys={"t": ("id",)})
        for record, (number, found) in zip(records, enumerate(rows_of(out, TYPES)), strict=True):
            check({"id": number, **record}, found, form)


@settings(max_examples=settings.default.max_examples // 2)
@given(values=st.lists(st.none() | texts, min_size=1, max_size=5))
def test_partitions_have_the_rows_and_values_of_the_table(values: list[str | None]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        records = [dict.fromkeys(list(TYPES)[1:]) | {"text": value} for value in values]
        file = make(folder, records)
        out = folder / "out"
        (entry,) = run(file, out, form="parquet", partition_by=("text",), keys={"t": ("id",)})
        with duckdb.connect() as connection:
            found = connection.execute(
                "select id, text from read_parquet($files, hive_partitioning = true, "
                "hive_types = {'text': varchar}) order by id",
                {"files": [str(out / file.path) for file in entry.files]},
            ).fetchall()
        # DuckDB reads an empty folder name and its name for NULL alike
        assert [(id_, text or None) for id_, text in found] == [
            (number, value or None) for number, value in enumerate(values)
        ]
