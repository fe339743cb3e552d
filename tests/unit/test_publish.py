from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from warehouse.connect import open_published, open_working
from warehouse.errors import WarehouseUnusable
from warehouse.publish import publish


@pytest.fixture
def working(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_working(tmp_path / "w.duckdb") as connection:
        connection.execute(
            """
            create schema crm;
            create table crm.t as select 1 as id, 'a' as "odd "" name";
            comment on table crm.t is 'it''s a table';
            comment on column crm.t."odd "" name" is 'Größe "in" m²; drop table';
            create view crm.v as select id + 1 as id from crm.t;
            comment on column crm.v.id is 'of a view';
            """
        )
        yield connection


def test_tables_and_views_of_crm_become_tables_of_main_with_their_comments(
    working: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    target = tmp_path / "deep" / "p.duckdb"
    target.parent.mkdir()
    (target.parent / ".p.duckdb.4711.tmp").write_text("left by a run that was killed")
    assert publish(working, target) == 2
    with open_published(target) as connection:
        assert connection.execute("from t").fetchall() == [(1, "a")]
        assert connection.execute("from v").fetchall() == [(2,)]
        assert connection.execute(
            "select table_name, comment from duckdb_tables() order by 1"
        ).fetchall() == [("t", "it's a table"), ("v", None)]
        assert connection.execute(
            "select comment from duckdb_columns() where comment is not null order by 1"
        ).fetchall() == [('Größe "in" m²; drop table',), ("of a view",)]
    assert [file.name for file in target.parent.iterdir()] == ["p.duckdb"]


def test_a_reader_keeps_the_old_file_and_a_new_one_gets_the_new(
    working: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    target = tmp_path / "p.duckdb"
    publish(working, target)
    with open_published(target) as reader:
        working.execute("update crm.t set id = 7")
        publish(working, target)
        assert reader.execute("select id from t").fetchall() == [(1,)]
    with open_published(target) as reader:
        assert reader.execute("select id from t").fetchall() == [(7,)]


def test_a_copy_that_fails_leaves_the_old_file_and_nothing_beside_it(
    working: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    target = tmp_path / "published" / "p.duckdb"
    publish(working, target)
    before = target.read_bytes()
    working.execute("create view crm.broken as select error('no') as x from crm.t")
    with pytest.raises(duckdb.Error, match="no"):
        publish(working, target)
    assert target.read_bytes() == before
    assert [file.name for file in target.parent.iterdir()] == ["p.duckdb"]
    working.execute("drop view crm.broken")
    publish(working, target)


def test_a_place_that_cannot_be_written_is_told(
    working: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(WarehouseUnusable, match="cannot be written") as caught:
        publish(working, tmp_path / "file" / "p.duckdb")
    assert "kept" in caught.value.hint
