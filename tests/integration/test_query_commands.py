"""`query`, `tables` and `columns` as a person types them."""

from __future__ import annotations

import json
import os
import resource
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from pipelines.cli import main

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    with duckdb.connect(str(tmp_path / "pipedrive.duckdb")) as connection:
        connection.execute("create table leads as select i as id from range(1, 8) r(i)")
        connection.execute("comment on table leads is 'One row per lead.'")
    monkeypatch.setenv("WAREHOUSE__PATH", str(tmp_path / "warehouse.duckdb"))
    monkeypatch.setenv("WAREHOUSE__PUBLISH", str(tmp_path / "pipedrive.duckdb"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments: str, **options: Any) -> Result:
    return CliRunner().invoke(main, arguments, **options)


@pytest.mark.parametrize("arguments", [["query", "-"], ["query"]])
def test_sql_comes_from_stdin(folder: Path, arguments: list[str]) -> None:
    result = call(*arguments, "-f", "csv", input="select count(*) as n\nfrom leads")
    assert result.stdout == "n\n7\n"
    assert result.stderr == "1 row\n"


def test_sql_comes_from_a_file_with_values(folder: Path) -> None:
    (folder / "q.sql").write_text("-- mine\nselect id from leads where id >= $from_id\n", "utf-8")
    result = call("query", "--file", "q.sql", "-p", "from_id=6", "-f", "csv")
    assert result.stdout == "id\n6\n7\n"
    assert call("query", "select 1", "--file", "q.sql").exit_code == 2
    assert "NAME=VALUE" in call("query", "select $a", "-p", "a").stderr
    assert "given twice" in call("query", "select $a", "-p", "a=1", "-p", "$a=2").stderr
    assert call("query", "--file", "none.sql").exit_code == 2


def test_a_file_s_ending_is_its_format(folder: Path) -> None:
    for name in ("a.csv", "a.json", "a.jsonl", "a.ndjson", "a.md", "a.txt", "a.PARQUET"):
        result = call("query", "from leads", "-o", name)
        assert result.exit_code == 0, result.output
        assert result.stdout == ""
    assert (folder / "a.csv").read_text().startswith("id\n1\n")
    assert len(json.loads((folder / "a.json").read_text())) == 7
    assert (folder / "a.jsonl").read_text() == (folder / "a.ndjson").read_text()
    assert (folder / "a.md").read_text().startswith("| id |")
    assert pq.read_table(folder / "a.PARQUET").num_rows == 7
    assert stat.S_IMODE((folder / "a.csv").stat().st_mode) == 0o640
    unknown = call("query", "from leads", "-o", "a.xyz")
    assert unknown.exit_code == 2
    assert "say it with -f" in unknown.stderr
    assert call("query", "from leads", "-o", "a.xyz", "-f", "csv").exit_code == 0
    assert (folder / "a.xyz").read_text() == (folder / "a.csv").read_text()


def test_a_table_in_a_file_has_all_rows(folder: Path) -> None:
    assert call("query", "from range(1000, 1150)", "-o", "a.txt").exit_code == 0
    assert "1149" in (folder / "a.txt").read_text()


def test_parquet_goes_through_a_pipe(folder: Path) -> None:
    result = call("query", "from leads", "-f", "parquet")
    (folder / "piped.parquet").write_bytes(result.stdout_bytes)
    assert pq.read_table(folder / "piped.parquet").num_rows == 7


def test_a_limit_is_kept_and_told(folder: Path) -> None:
    result = call("query", "from leads order by id", "-f", "csv", "--limit", "2")
    assert result.stdout == "id\n1\n2\n"
    assert result.stderr == "2 rows, and there are more\n"
    shown = call("query", "from range(150)", "--limit", "150").stdout
    assert "149" in shown
    assert "shown" not in shown


def test_a_query_that_fails_leaves_the_file_from_before_and_nothing_else(folder: Path) -> None:
    (folder / "a.csv").write_text("before")
    before = sorted(folder.iterdir())
    sql = "select if(i = 50000, error('too far'), i) from range(100000) r(i)"
    result = call("query", sql, "-o", "a.csv")
    assert result.exit_code == 2
    assert "too far" in result.stderr
    assert (folder / "a.csv").read_text() == "before"
    assert sorted(folder.iterdir()) == before


def test_a_full_disk_ends_with_75_and_the_file_from_before(folder: Path) -> None:
    (folder / "a.csv").write_text("before")
    script = "from pipelines.cli import main; main(prog_name='pipeduck')"
    done = subprocess.run(
        [sys.executable, "-c", script, "query", "from range(100000)", "-o", "a.csv"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 75, done.stderr
    assert (folder / "a.csv").read_text() == "before"
    assert not list(folder.glob(".a.csv*"))


def test_our_own_files_are_not_written_over(folder: Path) -> None:
    before = (folder / "pipedrive.duckdb").read_bytes()
    result = call("query", "from leads", "-f", "csv", "-o", "pipedrive.duckdb")
    assert result.exit_code == 2
    assert "own file" in result.stderr
    assert (folder / "pipedrive.duckdb").read_bytes() == before


def test_unsafe_alone_reaches_other_files(folder: Path) -> None:
    (folder / "other.csv").write_text("id\n1\n")
    refused = call("query", "from 'other.csv'")
    assert refused.exit_code == 2
    assert "--unsafe" in refused.stderr
    assert call("query", "from 'other.csv'", "--unsafe", "-f", "csv").stdout == "id\n1\n"


def test_tables_and_columns_for_people_and_programs(folder: Path) -> None:
    assert "One row per lead." in call("tables").stdout
    assert json.loads(call("tables", "--json").stdout) == [
        {"name": "leads", "rows": 7, "description": "One row per lead."}
    ]
    assert "100 %" in call("columns", "leads").stdout
    (column,) = json.loads(call("columns", "leads", "--json").stdout)
    assert column == {
        "name": "id",
        "type": "BIGINT",
        "description": "",
        "filled": 1.0,
        "examples": ["1", "2", "3"],
    }
    wrong = call("columns", "lead")
    assert wrong.exit_code == 2
    assert "Did you mean leads?" in wrong.stderr


def test_an_output_below_a_file_and_bytes_that_are_no_text_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with duckdb.connect(str(tmp_path / "p.duckdb")) as connection:
        connection.execute("create table t as select 1 as a")
    (tmp_path / "a.csv").write_text("x")
    monkeypatch.setenv("WAREHOUSE__PUBLISH", str(tmp_path / "p.duckdb"))
    monkeypatch.chdir(tmp_path)
    below = CliRunner().invoke(main, ["query", "select 1", "-o", "a.csv/b.csv"])
    assert (below.exit_code, "cannot be written" in below.stderr) == (2, True)
    bytes_in = CliRunner().invoke(main, ["query"], input=b"\xff select 1")
    assert (bytes_in.exit_code, "not UTF-8" in bytes_in.stderr) == (2, True)
