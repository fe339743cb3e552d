"""`--changed-since`: each change once, deletions among them, whatever the times in a row say."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from exported import run

from warehouse.connect import open_working
from warehouse.errors import ExportError, KeyRefused
from warehouse.export.job import Wanted, export
from warehouse.export.manifest import Entry
from warehouse.publish import publish

KEYS = {"leads": ("id",), "emails": ("person_id", "position")}
TIMES = ("add_time", "update_time", "deleted_time")


def sql(published: Path, statement: str) -> None:
    with duckdb.connect(str(published)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(statement)


@pytest.fixture
def published(tmp_path: Path) -> Path:
    file = tmp_path / "pipedrive.duckdb"
    sql(
        file,
        """
        create table leads as select * from (values
            ('a', 'One', false, timestamptz '2026-05-01', timestamptz '2026-05-01', null, 1.5),
            ('b', 'Two', false, timestamptz '2026-05-02', timestamptz '2026-05-03', null, null),
            ('c', null, true, timestamptz '2026-05-01', timestamptz '2026-05-01',
                timestamptz '2026-05-04', 'nan'::double)
        ) v(id, title, is_deleted, add_time, update_time, deleted_time, score);
        create table emails as select * from (values (1, 0, 'x@y'), (1, 1, 'z@y'))
            v(person_id, position, value);
        create table notes as select * from (values ('same'), ('same'), ('other')) v(text);
        """,
    )
    return file


def changes(
    published: Path, out: Path, table: str = "leads", **wanted: Any
) -> tuple[Entry, dict[str, str]]:
    """An export of changes; the entry, and of each row its first column and what it is."""
    wanted = {"since": "last", "keys": KEYS, "times": TIMES, "tables": (table,), **wanted}
    (entry,) = run(published, out, **wanted)
    found = {}
    for file in entry.files:
        path = out / file.path if out.is_dir() else out
        with path.open(encoding="utf-8", newline="") as stream:
            found |= {row[0]: row[-1] for row in list(csv.reader(stream))[1:]}
    return entry, found


def test_the_first_export_is_everything_and_the_next_one_nothing(
    published: Path, tmp_path: Path
) -> None:
    entry, found = changes(published, tmp_path / "out")
    assert found == {"a": "created", "b": "created", "c": "deleted"}
    assert entry.is_whole
    again, nothing = changes(published, tmp_path / "out")
    assert (again.rows, nothing, again.is_whole) == (0, {}, False)
    assert len(list((tmp_path / "out").glob("*.csv"))) == 1


def test_each_change_comes_once_also_where_no_time_has_moved(
    published: Path, tmp_path: Path
) -> None:
    changes(published, tmp_path / "out")
    sql(
        published,
        """
        update leads set title = 'One!' where id = 'a';
        update leads set is_deleted = true where id = 'b';
        insert into leads by name select 'd' as id, false as is_deleted;
        delete from leads where id = 'c';
        """,
    )
    entry, found = changes(published, tmp_path / "out")
    assert found == {"a": "updated", "b": "deleted", "c": "deleted", "d": "created"}
    assert entry.changes == {"created": 1, "updated": 1, "deleted": 2}
    assert changes(published, tmp_path / "out")[1] == {}
    sql(published, "update leads set is_deleted = false where id = 'b'")
    assert changes(published, tmp_path / "out")[1] == {"b": "updated"}


def test_a_row_that_is_gone_comes_with_its_key_alone_and_a_keyless_one_whole(
    published: Path, tmp_path: Path
) -> None:
    for table in ("emails", "notes"):
        changes(published, tmp_path / "out", table)
    sql(published, "delete from emails where position = 1; delete from notes where rowid = 0")
    (emails,) = changes(published, tmp_path / "out", "emails")[0].files
    assert (tmp_path / "out" / emails.path).read_text().splitlines()[1:] == ['1,1,,"deleted"']
    (notes,) = changes(published, tmp_path / "out", "notes")[0].files
    assert (tmp_path / "out" / notes.path).read_text().splitlines()[1:] == ['"same","deleted"']


def test_what_is_not_exported_is_no_change_and_a_new_empty_column_is_none_either(
    published: Path, tmp_path: Path
) -> None:
    columns = ("id", "title")
    changes(published, tmp_path / "out", columns=columns)
    sql(published, "update leads set score = 9")
    assert changes(published, tmp_path / "out", columns=columns)[1] == {}
    assert changes(published, tmp_path / "out", columns=("title", "id"))[1] == {}
    changes(published, tmp_path / "all")
    sql(published, "alter table leads add column cf_new varchar")
    assert changes(published, tmp_path / "all")[1] == {}
    sql(published, "update leads set cf_new = 'x' where id = 'a'")
    assert changes(published, tmp_path / "all")[1] == {"a": "updated"}


def test_each_target_has_a_last_export_of_its_own(published: Path, tmp_path: Path) -> None:
    changes(published, tmp_path / "one")
    assert len(changes(published, tmp_path / "two")[1]) == 3
    assert len(changes(published, tmp_path / "one" / "leads.csv")[1]) == 3
    assert changes(published, tmp_path / "one")[1] == {}


def test_a_file_that_was_named_is_written_also_when_nothing_has_changed(
    published: Path, tmp_path: Path
) -> None:
    out = tmp_path / "leads.csv"
    changes(published, out)
    entry, _ = changes(published, out)
    assert out.read_text().count("\n") == 1
    assert entry.rows == 0


def test_exports_of_changes_stand_beside_each_other_and_the_manifest_has_them_all(
    published: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(published, out, tables=("leads",))
    changes(published, out)
    sql(published, "update leads set title = 'New'")
    changes(published, out)
    files = sorted(file.name for file in out.glob("*.csv"))
    assert len(files) == 3
    assert "leads.csv" in files
    assert (out / "manifest.json").read_text().count('"exported_time"') == 4


def test_changes_of_a_query_are_told_by_its_id_or_by_the_whole_row(
    published: Path, tmp_path: Path
) -> None:
    for query, expected in (
        ("select id, title from leads", {"a": "updated"}),
        ("select title from leads where title is not null", {"One": "deleted", "1": "created"}),
    ):
        sql(published, "update leads set title = 'One' where id = 'a'")
        out = tmp_path / str(len(query))
        changes(published, out, tables=(), query=query)
        sql(published, "update leads set title = '1' where id = 'a'")
        assert changes(published, out, tables=(), query=query)[1] == expected


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        (datetime(2026, 5, 2, tzinfo=UTC), {"b": "created", "c": "deleted"}),
        (datetime(2026, 5, 3, tzinfo=UTC), {"b": "updated", "c": "deleted"}),
        (datetime(2026, 5, 5, tzinfo=UTC), {}),
    ],
)
def test_since_a_time_are_the_rows_whose_times_are_not_before_it(
    published: Path, tmp_path: Path, since: datetime, expected: dict[str, str]
) -> None:
    assert changes(published, tmp_path / "out", since=since)[1] == expected
    assert not list(tmp_path.glob(".pipedrive.exports"))


def test_since_a_time_rows_without_times_come_always(published: Path, tmp_path: Path) -> None:
    sql(published, "insert into leads by name select 'd' as id")
    since = datetime(2030, 1, 1, tzinfo=UTC)
    assert changes(published, tmp_path / "out", since=since)[1] == {"d": "updated"}
    entry, _ = changes(published, tmp_path / "out", "notes", since=since)
    assert entry.is_whole
    assert entry.rows == 3


def test_changes_need_the_key_and_a_name_of_their_own(published: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="without id"):
        changes(published, tmp_path / "out", columns=("title",))
    with pytest.raises(ExportError, match="_change"):
        changes(published, tmp_path / "out", tables=(), query="select 1 as id, 2 as _change")


def test_hashes_are_for_their_owner_and_unreadable_ones_mean_everything_again(
    published: Path, tmp_path: Path
) -> None:
    changes(published, tmp_path / "out")
    (kept,) = (tmp_path / ".pipedrive.exports").iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    assert kept.parent.stat().st_mode & 0o077 == 0
    assert b"Two" not in kept.read_bytes()
    kept.write_bytes(b"broken")
    assert len(changes(published, tmp_path / "out")[1]) == 3


def test_an_export_that_fails_before_its_end_gives_the_same_changes_again(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr("warehouse.export.places.replace_file", fail)
        with pytest.raises(ExportError, match="Permission denied"):
            changes(published, tmp_path / "out")
    assert len(changes(published, tmp_path / "out")[1]) == 3


def test_an_encrypted_file_is_exported_and_its_changes_are_told(tmp_path: Path) -> None:
    key, file, out = "k€y'", tmp_path / "pipedrive.duckdb", tmp_path / "out"
    with open_working(tmp_path / "warehouse.duckdb", key=key) as connection:
        connection.execute("create schema crm; create table crm.leads as select 1 as id, 2 as x")
        publish(connection, file, key=key)
    for rows in (1, 0):
        wanted = Wanted(out=str(out), since="last", keys=KEYS)
        (entry,) = export(file, wanted, key=key, memory_limit="500MB")
        assert entry.rows == rows
    with pytest.raises(KeyRefused):
        export(file, Wanted(out=str(out)))
