from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import duckdb
import pytest

from warehouse.errors import NothingPublished, QueryError, WarehouseUnusable
from warehouse.query import FORMATS, Result, run_query
from warehouse.read import read, read_sql

SQL = "select * from t order by id"


@pytest.fixture
def published(tmp_path: Path) -> Path:
    file = tmp_path / "pipedrive.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("set TimeZone = 'America/New_York'")
        connection.execute(
            """
            create table t as select * from (values
                (1, 'a,"b"' || chr(10) || 'c', 12.30::decimal(18,4), [1, 2], true,
                 timestamptz '2026-05-15 10:11:04+00', {'x': 1, 'y': [date '2024-02-29']}),
                (2, '00123', null, null, null, null, null)
            ) v(id, text, money, list, flag, moment, nested)
            """
        )
    return file


def output(published: Path, form: str, sql: str = SQL) -> str:
    stream = io.StringIO()

    def write(result: Result) -> None:
        FORMATS[form](result, stream)

    run_query(published, sql, write)
    return stream.getvalue()


def test_csv_quotes_keeps_zeros_and_writes_lists_as_json(published: Path) -> None:
    header, first, second = csv.reader(io.StringIO(output(published, "csv")))
    assert header == ["id", "text", "money", "list", "flag", "moment", "nested"]
    assert first == [
        "1", 'a,"b"\nc', "12.3000", "[1,2]", "true",
        "2026-05-15 10:11:04Z", '{"x":1,"y":["2024-02-29"]}',
    ]  # fmt: skip
    assert second == ["2", "00123", "", "", "", "", ""]


def test_json_and_jsonl_hold_the_same_objects(published: Path) -> None:
    as_array = json.loads(output(published, "json"))
    as_lines = [json.loads(line) for line in output(published, "jsonl").splitlines()]
    assert as_array == as_lines
    assert as_array[0]["money"] == 12.3
    assert as_array[0]["moment"] == "2026-05-15T10:11:04Z"
    assert as_array[1]["money"] is None
    assert json.loads(output(published, "json", "select 1 where false")) == []


def test_a_table_shows_names_types_and_at_most_a_hundred_rows(published: Path) -> None:
    shown = output(published, "table", "select i as number from range(500) r(i)")
    assert "number" in shown
    assert "bigint" in shown
    assert "99" in shown
    assert "\n 100" not in shown


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("columns", "is_block"), [("100", False), ("40", True)])
def test_a_row_too_wide_for_the_terminal_is_written_as_a_block(
    published: Path, monkeypatch: pytest.MonkeyPatch, columns: str, is_block: bool
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    sql = "select id, text, money, moment from t where id = 2"
    run_query(published, sql, lambda result: FORMATS["table"](result, stream) and None)
    shown = re.sub(r"\x1b\[\d*m", "", stream.getvalue())
    assert "00123" in shown
    assert ("row 1" in shown) is is_block
    assert max(map(len, shown.splitlines())) <= int(columns)


def test_sql_that_does_not_run_is_told_in_duckdbs_words(published: Path) -> None:
    with pytest.raises(QueryError, match="nothing_here") as caught:
        output(published, "csv", "select * from nothing_here")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "sql",
    [
        "create table x (a integer)",
        "delete from t",
        "copy t to 'leak.csv'",
        "select * from read_csv('/etc/passwd')",
        "attach 'other.duckdb'",
        "set enable_external_access = true",
    ],
)
def test_a_query_can_neither_write_nor_reach_other_files(published: Path, sql: str) -> None:
    with pytest.raises(QueryError):
        output(published, "csv", sql)
    assert len(output(published, "jsonl").splitlines()) == 2


@pytest.mark.parametrize("sql", ["", "  ", "-- only a comment"])
def test_no_sql_is_told(published: Path, sql: str) -> None:
    with pytest.raises(QueryError, match="no SQL"):
        output(published, "csv", sql)


def test_no_column_is_lost_to_a_repeated_name(published: Path) -> None:
    (line,) = output(published, "jsonl", "select 1 as a, 2 as a, 3 as a_1").splitlines()
    assert sorted(json.loads(line).values()) == [1, 2, 3]


def test_nothing_published_yet_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NothingPublished) as caught:
        output(tmp_path / "none.duckdb", "csv")
    assert "pipeduck run" in caught.value.hint


def test_a_file_that_is_no_duckdb_file_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "notes.duckdb"
    file.write_text("not a database at all, but long enough to look like one" * 200)
    with pytest.raises(WarehouseUnusable, match="not a DuckDB file"):
        output(file, "csv")
    assert file.read_text().startswith("not a database")


def test_frames_keep_types(published: Path) -> None:
    frame = read("t", published)
    assert str(frame.dtypes["money"]) == "decimal128(18, 4)[pyarrow]"
    assert "timestamp" in str(frame.dtypes["moment"])
    assert frame["text"].tolist()[1] == "00123"
    bound = read_sql("select ? as x", ["a' or 1=1"], published)
    assert bound["x"].tolist() == ["a' or 1=1"]
