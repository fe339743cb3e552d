"""What is exported, where to, and what the manifest says; round trips are a property test."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from pathlib import Path
from typing import Any

import duckdb
import fsspec
import openpyxl
import pyarrow.parquet
import pytest
from exported import run

from warehouse.errors import ExportError, PlaceUnreachable, QueryError
from warehouse.export import writers, xlsx
from warehouse.export.job import Wanted, export

KEYS = {"leads": ("id",), "persons": ("id",)}


@pytest.fixture
def published(tmp_path: Path) -> Path:
    file = tmp_path / "pipedrive.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(
            """
            create table leads as select * from (values
                (2, 'open', '=1+1', -5, '00123', ['a', null]),
                (1, 'open', '+49 30', 7, 'x/y', []),
                (3, 'archived', null, null, null, null)
            ) v(id, status, title, score, cf_code, cf_tags);
            comment on column leads.title is 'What it is called';
            comment on column leads.cf_code is 'Code';
            comment on column leads.cf_tags is 'code';
            create table persons as select 1 as id, 'Ann' as name, 3 as cf_code;
            comment on column persons.cf_code is 'Another code';
            create table sync_runs as
            select '20260501T060000Z-aaaaaa' as run_id, timestamptz '2026-05-01' as started_time;
            """
        )
    return file


def read_csv(file: Path) -> list[list[str]]:
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def manifest(folder: Path, name: str = "manifest.json") -> Any:
    return json.loads((folder / name).read_text("utf-8"))


def test_every_public_table_is_a_file_sorted_by_key_unless_some_are_named(
    published: Path, tmp_path: Path
) -> None:
    entries = run(published, tmp_path / "out", keys=KEYS)
    assert [entry.table for entry in entries] == ["leads", "persons", "sync_runs"]
    assert [row[0] for row in read_csv(tmp_path / "out" / "leads.csv")] == ["id", "1", "2", "3"]
    run(published, tmp_path / "one", tables=("persons",))
    assert names(tmp_path / "one") == ["manifest.json", "persons.csv"]


def test_text_is_quoted_and_numbers_are_not_and_lists_are_json(
    published: Path, tmp_path: Path
) -> None:
    run(published, tmp_path / "leads.csv", tables=("leads",), keys=KEYS)
    assert (tmp_path / "leads.csv").read_text().splitlines() == [
        '"id","status","title","score","cf_code","cf_tags"',
        '1,"open","+49 30",7,"x/y","[]"',
        '2,"open","=1+1",-5,"00123","[""a"",null]"',
        '3,"archived",,,,',
    ]


def test_safe_csv_puts_an_apostrophe_before_formulas_and_leaves_numbers(
    published: Path, tmp_path: Path
) -> None:
    sql = """select -5 as n, '=1' as "=a", '+1' as b, '-1' as c, '@x' as d, chr(9) || 'x' as e,
        chr(13) || 'x' as f, 'a=1' as g, '' as h, null::varchar as i, ['=1'] as j, -1.5 as k"""
    run(published, tmp_path / "q.csv", query=sql, is_safe=True)
    header, row = read_csv(tmp_path / "q.csv")
    assert header[:3] == ["n", "'=a", "b"]
    assert row == [
        "-5", "'=1", "'+1", "'-1", "'@x", "'\tx", "'\rx", "a=1", "", "", '["=1"]', "-1.5"
    ]  # fmt: skip


def test_labels_are_headers_of_custom_columns_alone_and_unique(
    published: Path, tmp_path: Path
) -> None:
    run(published, tmp_path, tables=("leads",), is_labelled=True)
    header = read_csv(tmp_path / "leads.csv")[0]
    assert header == ["id", "status", "title", "score", "Code (cf_code)", "code (cf_tags)"]
    # tables do not agree on what cf_code is called
    run(published, tmp_path / "q.csv", query="select cf_code, cf_tags from leads", is_labelled=True)
    assert read_csv(tmp_path / "q.csv")[0] == ["cf_code", "code"]


def test_columns_are_those_that_are_named_in_that_order(published: Path, tmp_path: Path) -> None:
    run(published, tmp_path, tables=("leads",), columns=("title", "id"))
    assert read_csv(tmp_path / "leads.csv")[0] == ["title", "id"]


@pytest.mark.parametrize(
    ("wanted", "message", "hint"),
    [
        ({"tables": ("laeds",)}, "no table laeds", "leads"),
        ({"tables": ("leads",), "columns": ("titel",)}, "no column titel in leads", "title"),
        ({"tables": ("leads",), "partition_by": ("statu",)}, "no column statu", "status"),
        ({"tables": ("persons",), "columns": ("id",), "partition_by": ("id",)}, "nothing", ""),
        ({"tables": ("leads",), "out": "one.csv", "partition_by": ("status",)}, "one file", ""),
        ({"tables": ("leads", "persons"), "out": "one.csv"}, "2 tables", "xlsx"),
        ({"tables": ("leads",), "out": "one.parquet"}, "ends like parquet", "--format parquet"),
        ({"tables": ("leads",), "out": "nosuch://a/b"}, "no protocol", "s3"),
        ({"tables": ("leads",), "out": "s3://user:hidden@a/b"}, "not installed", "s3fs"),
        ({"tables": ("leads",), "out": "s3://u:hidden@a/x.jsonl"}, "ends like jsonl", "jsonl"),
        ({"tables": ("leads",), "out": "-", "form": "parquet"}, "- takes one table", "--out"),
        ({"tables": ("leads", "persons"), "out": "-"}, "- takes one table", "--out"),
        ({"tables": ("leads",), "out": "-", "since": "last"}, "target", "--out"),
        ({"tables": ("leads",), "out": "pipedrive.duckdb"}, "cannot be written", "--out"),
    ],
)
def test_what_cannot_be_exported_is_a_sentence_and_nothing_is_written(
    published: Path,
    monkeypatch: pytest.MonkeyPatch,
    wanted: dict[str, Any],
    message: str,
    hint: str,
) -> None:
    monkeypatch.chdir(published.parent)
    before = published.read_bytes()
    with pytest.raises(ExportError, match=message) as caught:
        export(published, Wanted(**{"out": "out", **wanted}), stdout=io.BytesIO())
    assert hint in caught.value.hint
    assert caught.value.exit_code == 2
    assert "hidden" not in caught.value.message + caught.value.hint
    assert names(published.parent) == ["pipedrive.duckdb"]
    assert published.read_bytes() == before


@pytest.mark.parametrize(
    "sql",
    ["", "-- nothing", "select nothing from leads", "select 1; select 2", "drop table leads",
     "copy leads to 'leak.csv'", "select * from read_csv('/etc/passwd')", "attach 'other.duckdb'",
     "from leads) ; copy leads to 'leak.csv'; select * from (select 1", "select error('late')"],
)  # fmt: skip
def test_a_query_can_only_read_the_published_file(
    published: Path, tmp_path: Path, sql: str
) -> None:
    out = tmp_path / "out"
    with pytest.raises(QueryError) as caught:
        run(published, out / "q.csv", query=sql)
    assert caught.value.exit_code == 2
    assert not out.exists() or names(out) == []


def test_a_query_keeps_its_order_and_may_end_with_a_semicolon_and_a_comment(
    published: Path, tmp_path: Path
) -> None:
    sql = "select id, ';é' as \"a;b\", 1 as id_1, 2 as id from leads order by leads.id desc; -- ü"
    (entry,) = run(published, tmp_path / "q.csv", query=sql)
    rows = read_csv(tmp_path / "q.csv")
    assert [row[0] for row in rows[1:]] == ["3", "2", "1"]
    assert len(set(rows[0])) == 4
    assert entry.query
    assert entry.order_by == []


def test_rows_go_to_stdout_as_they_come(published: Path) -> None:
    stream = io.BytesIO()
    wanted = Wanted(out="-", form="jsonl", tables=("leads",), keys=KEYS)
    (entry,) = export(published, wanted, stdout=stream)
    assert [json.loads(line)["id"] for line in stream.getvalue().splitlines()] == [1, 2, 3]
    assert entry.rows == 3


def test_json_lines_hold_what_the_columns_hold(published: Path, tmp_path: Path) -> None:
    sql = """select 'é"' as "a ""b", 1.10::decimal(18,4) as d, 'nan'::double as n,
        [timestamptz '2026-05-01 06:00:00+02'] as t, null as x, {'y': [0.5, 'inf'::double]} as s"""
    run(published, tmp_path / "q.jsonl", query=sql, form="jsonl")
    assert (tmp_path / "q.jsonl").read_text("utf-8") == (
        '{"a \\"b":"é\\"","d":1.1000,"n":"nan","t":["2026-05-01T04:00:00Z"],"x":null,'
        '"s":{"y":[0.5,"inf"]}}\n'
    )


def test_parquet_is_zstd_in_row_groups_and_says_what_it_is(published: Path, tmp_path: Path) -> None:
    sql = "select i as id, i % 7 as x from range(300_000) r(i)"
    run(published, tmp_path / "q.parquet", query=sql, form="parquet")
    with pyarrow.parquet.ParquetFile(tmp_path / "q.parquet") as file:
        groups = [file.metadata.row_group(n) for n in range(file.metadata.num_row_groups)]
        assert [group.num_rows for group in groups][:2] == [writers.ROW_GROUP] * 2
        assert groups[0].column(0).compression == "ZSTD"
        about = json.loads(file.schema_arrow.metadata[b"pipeduck"])
    assert about["run_id"] == "20260501T060000Z-aaaaaa"
    assert about["columns"] == {"id": "BIGINT", "x": "BIGINT"}


def test_tables_in_one_workbook_are_sheets_and_text_is_never_a_formula(
    published: Path, tmp_path: Path
) -> None:
    out = tmp_path / "all.xlsx"
    entries = run(published, out, form="xlsx", tables=("leads", "persons"), keys=KEYS)
    book = openpyxl.load_workbook(out)
    assert book.sheetnames == ["leads", "persons"]
    assert [(cell.value, cell.data_type) for cell in book["leads"]["C"]][1:3] == [
        ("+49 30", "s"), ("=1+1", "s"),
    ]  # fmt: skip
    assert [entry.rows for entry in entries] == [3, 1]
    digest = hashlib.sha256(out.read_bytes()).hexdigest()
    assert {file.sha256 for entry in entries for file in entry.files} == {digest}
    assert manifest(tmp_path, "all.xlsx.manifest.json")["tables"][0]["files"][0]["bytes"] > 0


def test_a_text_longer_than_a_cell_is_cut_with_a_note_and_counted(
    published: Path, tmp_path: Path
) -> None:
    sql = "select repeat('🚀', 20_000) as a, repeat('x', 32_767) as b"
    (entry,) = run(published, tmp_path / "q.xlsx", query=sql, form="xlsx")
    a, b = next(openpyxl.load_workbook(tmp_path / "q.xlsx").worksheets[0].iter_rows(
        min_row=2, values_only=True
    ))  # fmt: skip
    assert isinstance(a, str)
    assert a.endswith(xlsx.CUT)
    assert len(a.encode("utf-16-le")) // 2 in {xlsx.LONGEST, xlsx.LONGEST - 1}
    assert b == "x" * 32_767
    assert entry.cut_cells == 1


def test_more_rows_than_a_sheet_holds_are_refused(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx, "MOST_ROWS", 3)
    with pytest.raises(ExportError, match="more rows than a sheet") as caught:
        run(published, tmp_path / "out", form="xlsx", tables=("leads",))
    assert "--partition-by" in caught.value.hint
    assert names(tmp_path / "out") == []


def test_partitions_are_folders_with_escaped_values_and_leave_nothing_old(
    published: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(published, out, tables=("leads",), keys=KEYS)
    (entry,) = run(published, out, tables=("leads",), keys=KEYS, partition_by=("status", "cf_code"))
    assert {file.path: file.rows for file in entry.files} == {
        "leads/status=archived/cf_code=__HIVE_DEFAULT_PARTITION__/leads.csv": 1,
        "leads/status=open/cf_code=00123/leads.csv": 1,
        "leads/status=open/cf_code=x%2Fy/leads.csv": 1,
    }
    assert not (out / "leads.csv").exists()  # the same table would be there twice
    header = read_csv(out / entry.files[1].path)[0]
    assert header == ["id", "title", "score", "cf_tags"]
    run(published, out, tables=("leads",), keys=KEYS, partition_by=("status",))
    assert sorted(str(f.relative_to(out)) for f in out.rglob("*") if f.is_file()) == [
        "leads/status=archived/leads.csv", "leads/status=open/leads.csv", "manifest.json",
    ]  # fmt: skip
    assert len(list(out.rglob("*"))) == 6


def test_values_that_differ_in_case_alone_do_not_overwrite_each_other(
    published: Path, tmp_path: Path
) -> None:
    sql = "select 1 as id, 'Open' as s union all select 2, 'open'"
    (entry,) = run(published, tmp_path / "out", query=sql, partition_by=("s",))
    assert len({file.path.casefold() for file in entry.files}) == 2


def test_too_many_partitions_are_refused(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.export.files.MOST_PARTITIONS", 2)
    with pytest.raises(ExportError, match="more than 2 folders"):
        run(published, tmp_path / "out", tables=("leads",), partition_by=("id",))
    assert names(tmp_path / "out") == []


def test_the_manifest_tells_of_each_file_what_is_there(published: Path, tmp_path: Path) -> None:
    run(published, tmp_path / "out", tables=("leads",), form="parquet", columns=("id", "status"))
    found = manifest(tmp_path / "out")
    (table,) = found["tables"]
    content = (tmp_path / "out" / "leads.parquet").read_bytes()
    assert table["files"] == [
        {"path": "leads.parquet", "rows": 3, "bytes": len(content),
         "sha256": hashlib.sha256(content).hexdigest()}
    ]  # fmt: skip
    assert table["columns"] == [
        {"name": "id", "header": "id", "type": "INTEGER"},
        {"name": "status", "header": "status", "type": "VARCHAR"},
    ]
    assert table["run_id"] == "20260501T060000Z-aaaaaa"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", table["exported_time"])
    assert found["times"].startswith("UTC")


def test_a_manifest_tells_of_all_tables_of_a_folder_until_their_files_are_gone(
    published: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(published, out, tables=("leads",))
    run(published, out, tables=("persons",))
    assert [table["table"] for table in manifest(out)["tables"]] == ["leads", "persons"]
    assert (out / "leads.csv").exists()
    (out / "leads.csv").unlink()
    run(published, out, tables=("persons",))
    assert [table["table"] for table in manifest(out)["tables"]] == ["persons"]


@pytest.mark.parametrize("text", ["{}", "[]", "not json", '{"made_by": "another"}'])
def test_a_manifest_of_somebody_else_is_left_as_it_is(
    published: Path, tmp_path: Path, text: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "manifest.json").write_text(text)
    with pytest.raises(ExportError, match="not a manifest of pipeduck"):
        run(published, out, tables=("leads",))
    assert {file.name: file.read_text() for file in out.iterdir()} == {"manifest.json": text}


def test_a_manifest_cannot_make_an_export_remove_files_of_another_folder(
    published: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(published, out, tables=("leads",))
    kept = tmp_path / "kept.csv"
    kept.write_text("mine")
    document = manifest(out)
    document["tables"][0]["files"][0]["path"] = "../kept.csv"
    (out / "manifest.json").write_text(json.dumps(document))
    run(published, out, tables=("leads",))
    assert kept.read_text() == "mine"


def test_an_address_gets_the_same_files_and_no_temporary_ones(
    published: Path, tmp_path: Path
) -> None:
    files = fsspec.filesystem("memory")
    files.store.clear()
    for _ in range(2):
        run(published, "memory://bucket/exports", tables=("leads", "persons"), keys=KEYS)
    run(published, "memory://bucket/exports", tables=("leads",), partition_by=("status",))
    run(published, "memory://bucket/one.parquet", tables=("leads",), form="parquet")
    assert sorted(name for name in files.find("/bucket")) == [
        "/bucket/exports/leads/status=archived/leads.csv",
        "/bucket/exports/leads/status=open/leads.csv",
        "/bucket/exports/manifest.json",
        "/bucket/exports/persons.csv",
        "/bucket/one.parquet",
        "/bucket/one.parquet.manifest.json",
    ]
    run(published, tmp_path / "here", tables=("persons",))
    assert (
        files.cat_file("/bucket/exports/persons.csv")
        == (tmp_path / "here" / "persons.csv").read_bytes()
    )
    assert names(tmp_path) == ["here", "pipedrive.duckdb"]
    files.store.clear()


def test_a_file_address_is_a_path(published: Path, tmp_path: Path) -> None:
    run(published, (tmp_path / "a b").as_uri(), tables=("leads",))
    assert names(tmp_path / "a b") == ["leads.csv", "manifest.json"]


def test_an_address_that_does_not_answer_is_told_without_the_password(published: Path) -> None:
    with pytest.raises(PlaceUnreachable) as caught:
        run(published, "ftp://me:hidden@127.0.0.1:1/folder", tables=("leads",))
    assert caught.value.exit_code == 75
    assert "hidden" not in caught.value.message
    assert "127.0.0.1" in caught.value.message


def test_a_file_keeps_its_mode_and_a_new_one_is_not_for_everybody(
    published: Path, tmp_path: Path
) -> None:
    out = tmp_path / "leads.csv"
    run(published, out, tables=("leads",))
    assert out.stat().st_mode & 0o777 == 0o640
    out.chmod(0o644)
    run(published, out, tables=("leads",))
    assert out.stat().st_mode & 0o777 == 0o644
