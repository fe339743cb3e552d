"""Encryption at rest: what is on disk, and what is said when a key does not fit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from others import ROOT, tool_with
from projects import Project

from pipelines.fields import dictionary, old_names
from pipelines.queries import generated_sql, query
from pipelines.status import read_status
from sources.sandbox import Sandbox
from warehouse.connect import open_published, open_working, open_working_read_only
from warehouse.encryption import _load_openssl, another
from warehouse.errors import KeyRefused, WarehouseError, WarehouseLocked, WarehouseUnusable
from warehouse.publish import is_published, publish
from warehouse.read import read_sql

KEY = 'it\'s a key; drop table "x" -- ☃'
MARKER = b"Marked Person"


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(leads=12, persons=20, organizations=5) as box:
        yield box


def encrypted(project: Project, key: str = KEY) -> Project:
    project.environment["WAREHOUSE__ENCRYPTION_KEY"] = key
    return project


def table(project: Project, name: str) -> list[tuple[Any, ...]]:
    columns = "columns(lambda c: c <> 'first_seen')"
    with open_published(project.folder / "pipedrive.duckdb", key=KEY) as connection:
        return connection.execute(f"select {columns} from {name} order by all").fetchall()


def test_an_encrypted_warehouse_has_the_same_tables_and_nothing_in_plain_on_disk(
    box: Sandbox, project_of: Callable[..., Project], capfd: pytest.CaptureFixture[str]
) -> None:
    plain, secret = project_of(box), encrypted(project_of(box))
    box.account.edit("person", 1, name=MARKER.decode())
    plain.run()
    assert secret.run().is_published
    box.account.live(8)
    box.account.edit("person", 2, name=MARKER.decode() + " too")
    plain.run()
    assert secret.run().is_published
    assert not secret.run().is_published, "nothing changed"
    assert secret.reconcile().exit_code == 0
    plain.reconcile()
    for name in ("leads", "persons", "organizations", "deals", "custom_fields"):
        assert table(secret, name) == plain.table(name)
    holders = [file for file in plain.folder.rglob("*") if file.is_file()]
    assert any(MARKER in file.read_bytes() for file in holders), "or the next lines prove nothing"
    for file in (file for file in secret.folder.rglob("*") if file.is_file()):
        content = file.read_bytes()
        assert MARKER not in content, file
        assert b"it's a key" not in content, file
    printed = capfd.readouterr()
    assert "it's a key" not in printed.out + printed.err


def test_every_command_that_reads_knows_the_key(
    box: Sandbox,
    project_of: Callable[..., Project],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    project = encrypted(project_of(box))
    project.run()
    settings = project.settings()
    assert query(settings, "select count(*) from persons", "csv").rows == 1
    assert dictionary(settings) > 0
    assert old_names(settings) == []
    assert "from_json" in generated_sql(settings, "leads")
    assert {entity.entity for entity in read_status(settings).entities} >= {"leads", "persons"}
    monkeypatch.setenv("WAREHOUSE__ENCRYPTION_KEY", KEY)
    frame = read_sql("select count(*) as n from persons", path=settings.warehouse.publish)
    assert frame["n"].tolist() == [20]
    assert "it's a key" not in repr(settings)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """A plain and an encrypted file, each with a published one."""
    made = {}
    for name, key in (("plain", ""), ("encrypted", KEY)):
        made[name] = tmp_path / name / "w.duckdb"
        with open_working(made[name], key=key) as connection:
            connection.execute("create schema crm; create table crm.t as select 42 as x")
            publish(connection, tmp_path / name / "p.duckdb", key=key)
    return made


@pytest.mark.parametrize(
    ("name", "key", "error", "told", "exit_code"),
    [
        ("encrypted", "wrong-7f3a", KeyRefused, "with another key", 77),
        ("encrypted", "", KeyRefused, "no key is configured", 77),
        ("plain", KEY, WarehouseUnusable, "is not encrypted", 2),
    ],
)
def test_a_key_that_does_not_fit_is_one_sentence_and_the_file_stays_as_it_was(
    files: dict[str, Path],
    name: str,
    key: str,
    error: type[WarehouseError],
    told: str,
    exit_code: int,
) -> None:
    working, published = files[name], files[name].with_name("p.duckdb")
    before = working.read_bytes(), published.read_bytes()
    for opened in (
        open_working(working, key=key),
        open_working_read_only(working, key=key),
        open_published(published, key=key),
    ):
        with pytest.raises(error, match=told) as caught:
            opened.__enter__()
        assert caught.value.exit_code == exit_code
        assert caught.value.hint
        for part in (caught.value, caught.value.__cause__):
            assert not key or key not in str(part)
            assert "it's a key" not in str(part)
    assert (working.read_bytes(), published.read_bytes()) == before


def test_the_key_can_be_asked_of_no_connection(files: dict[str, Path]) -> None:
    published = files["encrypted"].with_name("p.duckdb")
    with open_working(files["encrypted"], key=KEY) as working:
        check_silent(working)
    with open_published(published, key=KEY) as reader:
        check_silent(reader)
        for sql in ("select * from read_text('/etc/passwd')", "attach 'x.duckdb'"):
            with pytest.raises(duckdb.Error):
                reader.execute(sql)
        with pytest.raises(duckdb.Error):
            reader.execute("create table t2 as select 1")


def check_silent(connection: duckdb.DuckDBPyConnection) -> None:
    for source in ("duckdb_settings()", "duckdb_databases()"):
        shown = connection.execute(f"from {source}").fetchall()
        assert not any("it's a key" in str(row) for row in shown), source


def test_what_does_not_fit_into_memory_is_spilled_encrypted(tmp_path: Path) -> None:
    file = tmp_path / "w.duckdb"
    with open_working(file, "60MB", key=KEY) as connection:
        connection.execute(
            "create temp table big as "
            "select md5(range::varchar) || 'Marked Person' || range as text from range(3000000)"
        )
        spilled = list((tmp_path / "w.duckdb.tmp").iterdir())
        assert sum(file.stat().st_size for file in spilled) > 1_000_000
        assert not any(MARKER in file.read_bytes() for file in spilled)
        found = connection.execute("select count(distinct text) from big").fetchall()
        assert found == [(3_000_000,)]


def test_without_openssl_files_are_read_nothing_is_spilled_and_writing_is_told(
    files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.encryption._load_openssl", lambda connection: False)
    with open_published(files["encrypted"].with_name("p.duckdb"), key=KEY) as reader:
        assert reader.execute("from t").fetchall() == [(42,)]
        assert reader.execute("select current_setting('temp_directory')").fetchall() == [("",)]
    with pytest.raises(WarehouseUnusable, match="OpenSSL") as caught:
        open_working(files["encrypted"], key=KEY).__enter__()
    assert "pipeduck[encryption]" in caught.value.hint


def test_another_connection_is_to_the_same_file(files: dict[str, Path], tmp_path: Path) -> None:
    for name, key in (("plain", ""), ("encrypted", KEY)):
        with (
            open_working(files[name], key=key) as connection,
            another(connection) as second,
        ):
            assert second.execute("from crm.t").fetchall() == [(42,)]
    with duckdb.connect(":memory:") as memory, another(memory) as second:
        assert second.execute("select current_database()").fetchall() == [("memory",)]


def test_a_published_file_with_another_key_or_none_counts_as_not_published(
    files: dict[str, Path],
) -> None:
    for name, key, others in (("plain", "", [KEY]), ("encrypted", KEY, ["", "wrong-7f3a"])):
        published = files[name].with_name("p.duckdb")
        with open_working(files[name], key=key) as connection:
            assert is_published(connection, published, key=key)
            for other in others:
                assert not is_published(connection, published, key=other)


def test_a_tool_that_holds_an_encrypted_file_is_named(files: dict[str, Path]) -> None:
    holding = files["encrypted"].with_name("held.duckdb")
    with tool_with(holding) as tool, pytest.raises(WarehouseLocked, match=f"pid {tool.pid}"):
        open_working(holding, key=KEY).__enter__()
    with (
        open_working(files["encrypted"], key=KEY),
        pytest.raises(WarehouseLocked, match="this same process"),
    ):
        open_working(files["encrypted"], key=KEY).__enter__()


def test_the_documented_sql_encrypts_a_warehouse_and_runs_go_on(
    box: Sandbox, project_of: Callable[..., Project]
) -> None:
    text = (ROOT / "docs" / "security.md").read_text("utf-8")
    (sql,) = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
    key = "k+/="
    project = project_of(box)
    project.run()
    folder = project.folder
    with duckdb.connect(":memory:") as connection:
        assert _load_openssl(connection)
        connection.execute(sql.replace("data/", f"{folder}/").replace("…", key))
    (folder / "encrypted.duckdb").replace(folder / "warehouse.duckdb")
    (folder / "warehouse.duckdb.wal").unlink(missing_ok=True)
    encrypted(project, key)
    box.account.edit("person", 1, name="Changed")
    result = project.run()
    assert result.is_published
    assert sum(progress.rows_loaded for progress in result.progress) == 1
    with open_published(folder / "pipedrive.duckdb", key=key) as reader:
        names = reader.execute("select count(*) from persons where name = 'Changed'").fetchall()
    assert names == [(1,)]
