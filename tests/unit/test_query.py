from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from warehouse.connect import open_published
from warehouse.errors import NothingPublished, QueryError, WarehouseUnusable
from warehouse.query import Result, run_query, run_sql
from warehouse.read import read, read_sql
from warehouse.values import as_cell
from warehouse.writers import FORMATS, write_parquet

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


def output(published: Path, form: str, sql: str = SQL, **options: Any) -> str:
    stream = io.StringIO()

    def write(result: Result) -> None:
        FORMATS[form](result, stream)

    run_query(published, sql, write, **options)
    return stream.getvalue()


def refusal(published: Path, sql: str, **options: Any) -> QueryError:
    with pytest.raises(QueryError) as caught:
        output(published, "csv", sql, **options)
    return caught.value


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


def test_a_table_says_what_it_does_not_show(published: Path) -> None:
    shown = output(published, "table", "select i as number from range(500) r(i)")
    assert shown.splitlines()[-1] == "100 of 500 rows shown"
    assert "shown" not in output(published, "table", "select i from range(100) r(i)")


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


def test_of_many_rows_the_columns_that_fit_are_shown_and_counted(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    wide = ", ".join(f"'value {n}' as column_{n}" for n in range(20))
    run_query(
        published,
        f"select {wide} from range(50)",
        lambda result: FORMATS["table"](result, stream) and None,
    )
    lines = re.sub(r"\x1b\[[\d;]*m", "", stream.getvalue()).splitlines()
    assert max(map(len, lines)) <= 60
    assert "column_0" in lines[1]
    assert lines[-1] == "5 of 20 columns shown"


def test_a_value_cannot_steer_the_terminal(published: Path) -> None:
    shown = output(published, "table", "select 'a' || chr(27) || '[2Jb' as x")
    assert "\x1b" not in shown
    assert "a\\x1b[2Jb" in shown
    assert as_cell("two\r\nlines, 🦆") == "two\nlines, 🦆"


def test_markdown_escapes_what_would_be_markup(published: Path) -> None:
    sql = "select 'a|b*c' || chr(10) || '<i>&' as cf_x_y, 1.5 as n, null as z"
    header, rule, row = output(published, "markdown", sql).splitlines()
    assert header == "| cf_x_y | n | z |"
    assert rule == "| --- | --: | --: |"
    assert row == r"| a\|b\*c<br>&lt;i>&amp; | 1.5 |  |"


def test_parquet_keeps_values_and_types(published: Path, tmp_path: Path) -> None:
    file = tmp_path / "t.parquet"

    def write(result: Result) -> None:
        with file.open("wb") as stream:
            assert write_parquet(result, stream) == 2

    run_query(published, SQL, write)
    assert pq.ParquetFile(file).metadata.row_group(0).column(0).compression == "ZSTD"
    with duckdb.connect(str(published), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        written = connection.execute(f"from '{file}'")
        types = [str(column[1]) for column in written.description]
        rows = written.fetchall()
        table = connection.execute(SQL)
        assert types == [str(column[1]) for column in table.description]
        assert rows == table.fetchall()


def test_parquet_comes_in_row_groups_of_which_one_is_in_memory(
    published: Path, tmp_path: Path
) -> None:
    file = tmp_path / "t.parquet"

    def write(result: Result) -> None:
        with file.open("wb") as stream:
            assert write_parquet(result, stream) == 300_000

    sql = "select i as a, i as a from range(400_000) r(i)"
    run_query(published, sql, write, limit=300_000)
    meta = pq.ParquetFile(file)
    assert meta.metadata.num_row_groups == 3
    assert meta.schema_arrow.names == ["a", "a_1"]


def test_an_interval_is_no_type_of_parquet_and_that_is_told(published: Path) -> None:
    with pytest.raises(QueryError, match=r"for d \(INTERVAL\)"):
        run_query(
            published,
            "select interval 1 day as d",
            lambda result: write_parquet(result, io.BytesIO()) and None,
        )


@pytest.mark.parametrize(("limit", "has_more"), [(0, True), (3, True), (7, False), (9, False)])
def test_a_limit_reads_no_more_and_says_whether_there_are(
    published: Path, limit: int, has_more: bool
) -> None:
    found: list[tuple[int, bool]] = []

    def write(result: Result) -> None:
        rows = sum(len(batch) for batch in result.batches)
        found.append((rows, result.has_more))

    run_query(published, "from range(7)", write, limit=limit)
    assert found == [(min(limit, 7), has_more)]


def test_values_are_bound_and_never_pasted(published: Path) -> None:
    sql = "select $x as x, id from t where id = $id and text = $Text"
    values: Mapping[str, str] = {"x": "'; drop table t; --", "id": "2", "text": "00123"}
    line = output(published, "jsonl", sql, values=values)
    assert json.loads(line) == {"x": "'; drop table t; --", "id": 2}
    typed = "select $n::integer + 1 as n, $flag::boolean as flag, $day::date as day"
    values = {"n": "41", "flag": "true", "day": "2024-02-29"}
    found = json.loads(output(published, "jsonl", typed, values=values))
    assert found == {"n": 42, "flag": True, "day": "2024-02-29"}


def test_a_value_too_few_or_too_many_is_refused(published: Path) -> None:
    missing = refusal(published, "select $since")
    assert "names $since" in missing.message
    assert "-p since=VALUE" in missing.hint
    unused = refusal(published, "select $since", values={"since": "1", "until": "2"})
    assert "value for until" in unused.message


def test_of_several_statements_all_run_and_the_last_ones_rows_count(published: Path) -> None:
    sql = "create temp table u as select id * $by as n from t; select 1; select max(n) as m from u;"
    assert output(published, "csv", sql, values={"by": "21"}) == "m\n42\n"
    assert output(published, "csv", "pivot t on flag using count(*) group by id").startswith("id")


def test_ctrl_c_ends_a_query_and_the_connection_goes_on(published: Path) -> None:
    def press() -> int:
        os.kill(os.getpid(), signal.SIGINT)
        return 1

    usual = signal.getsignal(signal.SIGINT)
    with open_published(published) as connection:
        connection.create_function("press", press, [], "integer", side_effects=True)
        for sql in (
            "select sum(if(a.i = 0 and b.i = 5000, press(), b.i))"
            " from range(1_000_000) a(i), range(1_000_000) b(i)",
            "select i, if(i = 5000, press(), 0) from range(100_000_000) r(i)",
        ):
            with pytest.raises(KeyboardInterrupt):
                run_sql(
                    connection, sql, lambda result: FORMATS["csv"](result, io.StringIO()) and None
                )
        stream = io.StringIO()
        run_sql(connection, "select 1 as x", lambda result: FORMATS["csv"](result, stream) and None)
    assert stream.getvalue() == "x\n1\n"
    assert signal.getsignal(signal.SIGINT) is usual


def test_sql_that_does_not_run_is_told_in_duckdbs_words(published: Path) -> None:
    with pytest.raises(QueryError, match="nothing_here") as caught:
        output(published, "csv", "select * from nothing_here")
    assert caught.value.exit_code == 2


def test_an_error_has_the_place_and_names_that_exist(published: Path) -> None:
    with duckdb.connect(str(published)) as connection:
        connection.execute("create table leads (title varchar, name varchar, cf_budget_eur double)")
        connection.execute("comment on column leads.cf_budget_eur is 'Yearly money'")
    wrong = refusal(published, "select title,\n  titel\nfrom leads")
    assert wrong.message.splitlines() == [
        'Referenced column "titel" not found in FROM clause.',
        "LINE 2:   titel",
        "          ^",
    ]
    assert wrong.hint == "Did you mean title? pipeduck columns leads lists them all."
    assert "cf_budget_eur" in refusal(published, 'select "yearly money" from leads').hint
    assert "cf_budget_eur" in refusal(published, "select l.budget_eur from leads as l").hint
    assert "Did you mean leads?" in refusal(published, "from leds").hint
    assert "--unsafe" in refusal(published, "from 'other.csv'").hint
    assert "temp table" in refusal(published, "drop table t").hint


def test_unsafe_reaches_other_files_and_the_published_one_stays_read_only(
    published: Path, tmp_path: Path
) -> None:
    (tmp_path / "regions.csv").write_text("id,region\n1,North\n")
    join = f"select region from t join '{tmp_path}/regions.csv' as regions using (id)"
    assert output(published, "csv", join, is_unsafe=True) == "region\nNorth\n"
    copy = f"copy t to '{tmp_path}/copy.csv'"
    output(published, "csv", copy, is_unsafe=True)
    assert (tmp_path / "copy.csv").is_file()
    refusal(published, "delete from t", is_unsafe=True)


def test_python_variables_are_no_tables(published: Path) -> None:
    frame = read("t", published)
    assert len(frame) == 2
    for is_unsafe in (False, True):
        assert "frame" in refusal(published, "from frame", is_unsafe=is_unsafe).message


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


@pytest.mark.parametrize(
    "sql",
    [
        "call enable_logging(storage = 'stdout'); select 1",
        "from enable_logging(storage = 'file'); select 1",
        "pragma enable_profiling; select 1",
    ],
)
def test_what_writes_elsewhere_than_to_the_result_is_refused(published: Path, sql: str) -> None:
    assert "writes elsewhere" in str(refusal(published, sql))
