"""Frames for notebooks: one line to import, and the types of the tables."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from others import ROOT

from warehouse import read, read_arrow, read_sql
from warehouse.errors import NothingPublished


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "pipedrive.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("set TimeZone = 'Asia/Tokyo'")
        connection.execute(
            """
            create table leads as select * from (values
                (1, 10, '007', 1.10::decimal(18, 4), ['a', null], date '2024-02-29',
                    timestamptz '2026-05-01 06:00:00+00', true, {'v': 1}),
                (2, null, null, null, null, null, null, null, null)
            ) v(id, owner_id, code, value, labels, day, add_time, flag, address)
            """
        )
    monkeypatch.setenv("WAREHOUSE__PUBLISH", str(file))
    return file


def test_a_table_is_a_frame_with_the_types_of_its_columns(published: Path) -> None:
    frame = read("leads")
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == {
        "id": "int32[pyarrow]",
        "owner_id": "int32[pyarrow]",
        "code": "string[pyarrow]",
        "value": "decimal128(18, 4)[pyarrow]",
        "labels": "list<l: string>[pyarrow]",
        "day": "date32[day][pyarrow]",
        "add_time": "timestamp[us, tz=UTC][pyarrow]",
        "flag": "bool[pyarrow]",
        "address": "struct<v: int32>[pyarrow]",
    }
    first = frame.iloc[0]
    assert first["value"] == Decimal("1.1000")
    assert first["code"] == "007"
    assert list(first["labels"]) == ["a", None]
    assert first["day"] == date(2024, 2, 29)
    assert first["add_time"] == pd.Timestamp(datetime(2026, 5, 1, 6, tzinfo=UTC))
    assert frame["owner_id"].isna().tolist() == [False, True]


def test_some_columns_of_a_table(published: Path) -> None:
    assert list(read("leads", columns=["code", "id"]).columns) == ["code", "id"]


def test_parameters_are_bound_by_place_or_by_name(published: Path) -> None:
    by_place = read_sql("select id from leads where code = ?", ["007"])
    by_name = read_sql("select id from leads where code = $code", {"code": "007"})
    assert by_place["id"].tolist() == by_name["id"].tolist() == [1]
    assert read_sql("select ? as x", ["a' or 1=1"])["x"].tolist() == ["a' or 1=1"]


def test_an_arrow_table_is_what_other_libraries_take(published: Path) -> None:
    table = read_arrow("from leads")
    assert isinstance(table, pa.Table)
    assert table.schema.field("add_time").type == pa.timestamp("us", "UTC")
    assert table.num_rows == 2


def test_a_frame_reads_the_published_file_alone(published: Path) -> None:
    for sql in ("select * from read_csv('/etc/passwd')", "delete from leads"):
        with pytest.raises(duckdb.Error):
            read_sql(sql)


def test_nothing_published_is_told(tmp_path: Path) -> None:
    with pytest.raises(NothingPublished):
        read("leads", tmp_path / "none.duckdb")


@pytest.mark.parametrize(
    "line",
    [
        "from warehouse import read; found = read('leads')",
        "from warehouse.read import read; found = read('leads')",
        "import warehouse.read; from warehouse import read; found = read('leads')",
        "import warehouse; found = warehouse.read('leads')",
        "from warehouse import read_sql; found = read_sql('from leads')",
    ],
)
def test_whatever_is_imported_first_read_is_the_function(published: Path, line: str) -> None:
    script = f"import sys, warehouse\nassert 'duckdb' not in sys.modules\n{line}\nprint(len(found))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "2\n", done.stderr
