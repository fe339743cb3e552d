"""Publishing on bad days: readers, kills, strange targets, a full disk."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
from others import process, tool_with
from projects import Project

from sources.sandbox import Sandbox
from warehouse.connect import open_published, open_working
from warehouse.errors import WarehouseUnusable
from warehouse.publish import is_published, publish


@pytest.fixture
def working(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_working(tmp_path / "w.duckdb") as connection:
        connection.execute("create schema crm; create table crm.t as select 1 as id")
        yield connection


def ids(file: Path) -> list[int]:
    with open_published(file) as connection:
        return [id_ for (id_,) in connection.execute("select id from t").fetchall()]


def test_a_reader_through_whole_runs_blocks_none_and_goes_on_seeing_what_it_opened(
    project_of: Callable[..., Project],
) -> None:
    count = "select count(*) from persons"
    with Sandbox(persons=3) as box:
        project = project_of(box)
        project.run()
        published = project.folder / "pipedrive.duckdb"
        with tool_with(published, is_reader=True) as reader:
            assert reader.ask(count) == "[(3,)]"
            box.account.create("person", name="Anna New")
            assert project.run().is_published
            assert reader.ask(count) == "[(3,)]"
            assert reader.ask("select count(*) from persons where name = 'Anna New'") == "[(0,)]"
            with tool_with(published, is_reader=True) as other:
                assert other.ask(count) == "[(4,)]"
            box.account.create("person", name="Ben New")
            assert project.run().is_published
            assert reader.ask(count) == "[(3,)]"
    assert sorted(project.folder.glob(".pipedrive*")) == []


_COPYING = """
import sys
from pathlib import Path
import warehouse.publish
from warehouse.connect import open_working
def stop(*anything):
    print("ready", flush=True)
    sys.stdin.read()
warehouse.publish.replace_file = stop
with open_working(Path(sys.argv[1])) as connection:
    connection.execute("create schema crm; create table crm.t as select 2 as id")
    warehouse.publish.publish(connection, Path(sys.argv[2]))
"""


def test_a_kill_between_copy_and_rename_leaves_the_old_file_and_the_next_run_cleans_up(
    tmp_path: Path, working: duckdb.DuckDBPyConnection
) -> None:
    target = tmp_path / "published" / "p.duckdb"
    publish(working, target)
    with process(_COPYING, tmp_path / "other.duckdb", target) as copying:
        copy = target.with_name(f".p.duckdb.{copying.pid}.tmp")
        assert copy.is_file()
        assert ids(target) == [1]
        publish(working, target)
        assert copy.is_file(), "the copy of a process that is alive is not touched"
        copying.kill()
    assert copy.is_file()
    publish(working, target)
    assert list(target.parent.iterdir()) == [target]


def test_only_what_killed_runs_left_is_removed(
    tmp_path: Path, working: duckdb.DuckDBPyConnection
) -> None:
    target = tmp_path / "published" / "p.duckdb"
    target.parent.mkdir()
    kept = [
        ".p.duckdb.notes.tmp", ".p.duckdb.12.tmp.txt", "p.duckdb.12.tmp", ".px.duckdb.12.tmp",
        f".p.duckdb.{os.getppid()}.tmp",
    ]  # fmt: skip
    left = [".p.duckdb.99999999.tmp", ".p.duckdb.99999999.tmp.wal", f".p.duckdb.{os.getpid()}.tmp"]
    for name in (*kept, *left):
        (target.parent / name).write_text("x")
    (target.parent / ".p.duckdb.99999998.tmp").mkdir()
    publish(working, target)
    found = {file.name for file in target.parent.iterdir()}
    assert found == {*kept, ".p.duckdb.99999998.tmp", "p.duckdb"}
    yesterday = time.time() - 90_000
    os.utime(target.parent / f".p.duckdb.{os.getppid()}.tmp", (yesterday, yesterday))
    publish(working, target)
    assert not (target.parent / f".p.duckdb.{os.getppid()}.tmp").exists(), "its number was reused"


def test_a_link_stays_and_what_it_leads_to_is_replaced(
    tmp_path: Path, working: duckdb.DuckDBPyConnection
) -> None:
    real = tmp_path / "elsewhere" / "real.duckdb"
    link = tmp_path / "p.duckdb"
    link.symlink_to(real)
    publish(working, link)
    working.execute("update crm.t set id = 7")
    publish(working, link)
    assert link.is_symlink()
    assert ids(real) == ids(link) == [7]
    assert list(real.parent.iterdir()) == [real]
    assert is_published(working, link)


def test_a_folder_in_its_place_is_told(tmp_path: Path, working: duckdb.DuckDBPyConnection) -> None:
    (tmp_path / "p.duckdb").mkdir()
    with pytest.raises(WarehouseUnusable, match="it is a folder") as caught:
        publish(working, tmp_path / "p.duckdb")
    assert caught.value.exit_code == 2


@pytest.mark.skipif(not Path("/sys").is_dir(), reason="no folder that even root cannot write to")
def test_a_folder_that_cannot_be_written_is_told_and_nothing_else_is_lost(
    working: duckdb.DuckDBPyConnection,
) -> None:
    with pytest.raises(WarehouseUnusable, match="cannot be written") as caught:
        publish(working, Path("/sys/pipeduck.duckdb"))
    assert "kept" in caught.value.hint
    assert working.execute("from crm.t").fetchall() == [(1,)]


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="no other file system at hand")
def test_another_file_system_is_as_good(working: duckdb.DuckDBPyConnection) -> None:
    target = Path(f"/dev/shm/pipeduck-test-{os.getpid()}/p.duckdb")
    try:
        publish(working, target)
        working.execute("update crm.t set id = 7")
        publish(working, target)
        assert ids(target) == [7]
        assert list(target.parent.iterdir()) == [target]
    finally:
        for file in target.parent.iterdir():
            file.unlink()
        target.parent.rmdir()


def test_a_relation_that_cannot_be_copied_leaves_the_old_file(
    tmp_path: Path, working: duckdb.DuckDBPyConnection
) -> None:
    target = tmp_path / "published" / "p.duckdb"
    publish(working, target)
    working.execute("update crm.t set id = 7; create view crm.z as select error('no') from crm.t")
    with pytest.raises(duckdb.Error, match="no"):
        publish(working, target)
    assert ids(target) == [1]
    assert not is_published(working, target) or ids(target) == [1]
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.skipif(os.name == "nt", reason="files have no such modes there")
def test_a_mode_that_was_set_on_purpose_is_kept(
    tmp_path: Path, working: duckdb.DuckDBPyConnection
) -> None:
    target = tmp_path / "p.duckdb"
    publish(working, target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    for mode in (0o600, 0o644):
        target.chmod(mode)
        publish(working, target)
        assert stat.S_IMODE(target.stat().st_mode) == mode


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root gives groups away")
def test_the_group_of_the_file_before_is_kept(
    tmp_path: Path, working: duckdb.DuckDBPyConnection
) -> None:
    target = tmp_path / "p.duckdb"
    publish(working, target)
    os.chown(target, -1, 4711)
    publish(working, target)
    assert target.stat().st_gid == 4711


def test_a_file_that_was_cut_short_is_published_anew(
    tmp_path: Path, working: duckdb.DuckDBPyConnection
) -> None:
    target = tmp_path / "p.duckdb"
    publish(working, target)
    assert is_published(working, target)
    target.write_bytes(target.read_bytes()[:5000])
    assert not is_published(working, target)


def test_what_somebody_wrote_into_the_published_file_does_not_outlive_it(
    tmp_path: Path, working: duckdb.DuckDBPyConnection
) -> None:
    target = tmp_path / "published" / "p.duckdb"
    publish(working, target)
    with tool_with(target) as tool:
        tool.ask("insert into t values (99)")
        publish(working, target)
        assert ids(target) == [1]
        tool.kill()
    assert is_published(working, target)
    with tool_with(target) as tool:
        tool.ask("insert into t values (99)")
        tool.kill()
    assert target.with_name("p.duckdb.wal").exists()
    publish(working, target)
    assert ids(target) == [1]
    assert list(target.parent.iterdir()) == [target]


_FULL = """
import resource, sys
from pathlib import Path
from warehouse.connect import open_working
from warehouse.errors import DiskFull
from warehouse.publish import publish
with open_working(Path(sys.argv[1])) as connection:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
    try:
        publish(connection, Path(sys.argv[2]))
    except DiskFull as error:
        print(connection.execute("select count(*) from crm.t").fetchall(), error.exit_code)
        print(error.message)
"""


def test_a_disk_that_is_full_while_copying_leaves_the_old_file_alone(tmp_path: Path) -> None:
    file, target = tmp_path / "w.duckdb", tmp_path / "published" / "p.duckdb"
    with open_working(file) as connection:
        connection.execute("create schema crm; create table crm.t as select 1 as id")
        publish(connection, target)
        connection.execute(
            "create or replace table crm.t as select range as id, md5(range::varchar) as text "
            "from range(200000)"
        )
        connection.execute("checkpoint")
    done = subprocess.run(
        [sys.executable, "-c", _FULL, str(file), str(target)],
        text=True,
        capture_output=True,
        check=True,
    )
    count, message = done.stdout.splitlines()
    assert count == "[(200000,)] 75"
    assert message.startswith("The disk is full: ")
    assert ids(target) == [1]
    assert list(target.parent.iterdir()) == [target]
    with open_working(file) as connection:
        publish(connection, target)
    assert len(ids(target)) == 200_000
