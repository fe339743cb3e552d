"""The working file after bad days: who may read it, and what a kill leaves."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from others import process
from projects import Project

from sources.sandbox import Sandbox
from warehouse.connect import open_working
from warehouse.files import find_wide, working_files

_INSERTING = """
import sys
from pathlib import Path
from warehouse.connect import open_working
with open_working(Path(sys.argv[1]), key=sys.argv[2]) as connection:
    connection.execute(f"set checkpoint_threshold = '{sys.argv[3]}'")
    connection.execute("create table t (part bigint, i bigint, text varchar)")
    part = 0
    while True:
        connection.execute(
            "insert into t select ?, range, md5(range::varchar) from range(50000)", [part]
        )
        part += 1
        if part == 4:
            print("ready", flush=True)
"""


@pytest.mark.parametrize("key", ["", "a key"])
@pytest.mark.parametrize("threshold", ["1KB", "1GB"])
def test_a_kill_during_inserts_and_checkpoints_leaves_whole_commits(
    tmp_path: Path, key: str, threshold: str
) -> None:
    file = tmp_path / "w.duckdb"
    with process(_INSERTING, file, key, threshold) as inserting:
        inserting.kill()
    with open_working(file, key=key) as connection:
        parts = connection.execute("select part, count(*) from t group by part order by 1")
        found = parts.fetchall()
        assert len(found) >= 4
        assert found == [(part, 50_000) for part in range(len(found))]
        connection.execute("insert into t values (-1, 0, 'goes on')")


@pytest.mark.skipif(os.name == "nt", reason="files have no such modes there")
@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_what_a_run_writes_is_its_owners_and_the_published_file_the_groups_too(
    project_of: Callable[..., Project], umask: int
) -> None:
    before = os.umask(umask)
    try:
        with Sandbox(leads=2, persons=3) as box:
            project = project_of(box)
            project.environment["WAREHOUSE__PUBLISH"] = str(project.folder / "out" / "p.duckdb")
            project.run()
            box.account.live(5)
            project.run()
    finally:
        os.umask(before)
    written = [file for file in project.folder.rglob("*") if file.is_file()]
    assert len(written) > 10
    for file in written:
        expected = 0o640 if file.name == "p.duckdb" else 0o600
        assert stat.S_IMODE(file.stat().st_mode) == expected, file
    assert stat.S_IMODE((project.folder / "out").stat().st_mode) == 0o777 & ~umask
    assert find_wide(*working_files(project.folder / "warehouse.duckdb")) == []


@pytest.mark.skipif(os.name == "nt", reason="files have no such modes there")
def test_a_file_that_others_may_read_is_warned_of_with_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "w.duckdb"
    with open_working(file):
        pass
    wal = tmp_path / "w.duckdb.wal"
    wal.touch()
    file.chmod(0o644)
    wal.chmod(0o620)
    assert find_wide(*working_files(file)) == [
        f"{file} is open to everybody on this machine (mode 0644): chmod 600 it.",
        f"{wal} is open to its group on this machine (mode 0620): chmod 600 it.",
    ]


def test_a_working_file_somebody_opened_up_on_purpose_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "w.duckdb"
    with open_working(file):
        pass
    file.chmod(0o640)
    with open_working(file) as connection:
        connection.execute("create table t as select 1 as x")
        connection.execute("checkpoint")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


@pytest.mark.skipif(os.name == "nt", reason="files have no such modes there")
def test_a_run_warns_of_files_that_others_may_read(
    project_of: Callable[..., Project], capfd: pytest.CaptureFixture[str]
) -> None:
    with Sandbox(leads=2, persons=3) as box:
        project = project_of(box)
        project.run()
        assert "is open to" not in capfd.readouterr().err
        file = project.folder / "warehouse.duckdb"
        file.chmod(0o644)
        project.run()
    assert f"{file} is open to everybody on this machine (mode 0644)" in capfd.readouterr().err
