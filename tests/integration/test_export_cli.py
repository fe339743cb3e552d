"""`pipeduck export` as a person types it, on the tables of a loaded account."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import openpyxl
import pytest
from click.testing import CliRunner, Result
from exported import as_read, rows_of, same
from projects import Project

from pipelines.cli import main
from pipelines.exports import KEYS, TIMES
from sources.sandbox import Sandbox
from warehouse.export.writers import FORMATS
from warehouse.read import read

TABLES = ("leads", "persons", "organizations", "deals", "person_emails", "lead_labels", "users")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with Sandbox(leads=12, archived_leads=4, persons=20, organizations=8) as box:
        project = Project(tmp_path_factory.mktemp("project"), box)
        assert project.run().exit_code == 0
        yield project


def call(project: Project, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["export", *arguments], env=project.environment)


def described(project: Project, table: str) -> dict[str, str]:
    rows = project.rows(f"describe {table}", published=True)
    return {row[0]: row[1] for row in rows}


@pytest.mark.parametrize("form", FORMATS)
def test_the_tables_of_an_account_are_in_the_files_value_by_value(
    project: Project, tmp_path: Path, form: str
) -> None:
    done = call(project, "--tables", ",".join(TABLES), "--format", form, "--out", str(tmp_path))
    assert done.exit_code == 0, done.output
    assert done.stdout == ""
    for table in TABLES:
        types = described(project, table)
        keys = ", ".join(KEYS[table])
        expected = project.rows(f"from {table} order by {keys}", published=True)
        found = rows_of(tmp_path / f"{table}.{form}", types)
        assert len(found) == len(expected)
        assert f"{table}: {len(expected):,} row" in done.stderr
        for row, record in zip(expected, found, strict=True):
            for (name, kind), value in zip(types.items(), row, strict=True):
                there = as_read(value, kind, form)
                if form == "xlsx" and there == "":
                    there = None
                assert same(there, record[name]), (table, name)


def test_what_tells_rows_apart_does(project: Project) -> None:
    tables = project.rows("select table_name from duckdb_tables()", published=True)
    for (table,) in tables:
        if table in KEYS:
            keys = ", ".join(KEYS[table])
            sql = f"select count(*) - count(distinct ({keys})) from {table}"
            assert project.value(sql, published=True) == 0, table
    known = {name for (name,) in tables} - set(KEYS)
    assert known <= {"sync_steps", "sync_checks", "rejected_values"}


def test_times_that_a_table_has_are_known(project: Project) -> None:
    for table in ("leads", "persons", "organizations", "deals", "lead_labels"):
        assert {"add_time", "update_time"} <= set(described(project, table)) & set(TIMES)


def test_labels_of_custom_fields_are_headers(project: Project, tmp_path: Path) -> None:
    out = tmp_path / "leads.csv"
    assert call(project, "-t", "leads", "--labels", "-o", str(out)).exit_code == 0
    header = next(csv.reader(io.StringIO(out.read_text("utf-8"))))
    assert {"title", "Yearly budget", "Yearly budget (currency)", "Segment"} <= set(header)
    assert len({name.casefold() for name in header}) == len(header)


def test_a_query_goes_to_stdout_from_the_command_line_or_a_file(
    project: Project, tmp_path: Path
) -> None:
    sql = "select id, name from persons order by id limit 2"
    (tmp_path / "q.sql").write_text(sql)
    done = call(project, "--query", sql, "-o", "-")
    assert next(csv.reader(io.StringIO(done.stdout))) == ["id", "name"]
    assert done.stderr.strip() == "query: 2 rows"
    again = call(project, "--file", str(tmp_path / "q.sql"), "-o", "-")
    assert again.stdout == done.stdout


def test_everything_fits_one_workbook(project: Project, tmp_path: Path) -> None:
    out = tmp_path / "all.xlsx"
    assert call(project, "-o", str(out)).exit_code == 0
    assert {"leads", "sync_runs"} <= set(openpyxl.load_workbook(out, read_only=True).sheetnames)


def test_changes_of_the_account_come_with_the_next_export(project: Project, tmp_path: Path) -> None:
    arguments = ("-t", "leads,person_emails", "--changed-since", "last", "-o", str(tmp_path))
    first = call(project, *arguments)
    assert "the first export of changes to this target" in first.stderr
    assert call(project, *arguments).stderr.count("nothing has changed, no file") == 2
    with duckdb.connect(str(project.folder / "pipedrive.duckdb")) as connection:
        connection.execute(
            "update leads set title = 'Edited' where id = (select min(id) from leads)"
        )
    changed = call(project, *arguments)
    assert "leads: 1 row (0 created, 1 updated, 0 deleted)" in changed.stderr
    since = call(project, "-t", "leads", "--changed-since", "2999-01-01", "-o", str(tmp_path / "x"))
    assert "leads: nothing has changed" in since.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-t", "leads", "--query", "select 1", "-o", "x"), "--tables and --query"),
        (("--changed-since", "yesterday", "-o", "x"), "is not a time"),
        (("--changed-since", "", "-o", "x"), "is not a time"),
        (("--safe-csv", "-f", "jsonl", "-o", "x"), "--safe-csv is for csv"),
        (("--file", "nowhere.sql", "-o", "x"), "nowhere.sql cannot be read"),
        (("-t", "laeds", "-o", "x"), "Did you mean leads?"),
    ],
)
def test_bad_input_is_a_sentence_and_exit_2(
    project: Project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    done = call(project, *arguments)
    assert done.exit_code == 2, done.output
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_manifest_names_the_newest_run(project: Project, tmp_path: Path) -> None:
    assert call(project, "-t", "leads", "-o", str(tmp_path)).exit_code == 0
    (table,) = json.loads((tmp_path / "manifest.json").read_text("utf-8"))["tables"]
    newest = project.value(
        "select run_id from sync_runs order by started_time desc limit 1", published=True
    )
    assert table["run_id"] == newest


def test_frames_have_the_values_and_types_of_the_account(project: Project) -> None:
    frame = read("leads", project.folder / "pipedrive.duckdb")
    assert str(frame.dtypes["cf_yearly_budget"]) == "decimal128(18, 4)[pyarrow]"
    assert str(frame.dtypes["add_time"]) == "timestamp[us, tz=UTC][pyarrow]"
    assert str(frame.dtypes["labels"]).startswith("list<")
    assert str(frame.dtypes["person_id"]) == "int64[pyarrow]"
    assert len(frame) == project.value("select count(*) from leads", published=True)


def test_an_empty_list_of_names_is_not_everything() -> None:
    from pipelines.errors import ConfigError
    from pipelines.exports import names

    assert names([]) == ()
    with pytest.raises(ConfigError, match="empty"):
        names([""])
