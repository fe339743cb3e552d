"""A full disk at any step of a run: one sentence, exit 75, and the next run goes on.

The size that one file may reach stands in for the disk: it needs no rights and hits one step.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
from others import ROOT
from projects import Project

from sources.sandbox import Sandbox
from warehouse.connect import open_working
from warehouse.errors import DiskFull
from warehouse.refusals import find_full_disk

pytestmark = pytest.mark.skipif(os.name == "nt", reason="no limit on the size of files there")

_LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
from pipelines.cli import main
main(sys.argv[2:])
"""


def call(project: Project, *arguments: str, limit: int) -> subprocess.CompletedProcess[str]:
    """`pipeduck` where no file can grow beyond `limit` bytes."""
    return subprocess.run(
        [sys.executable, "-c", _LIMITED, str(limit), *arguments],
        env=os.environ | project.environment,
        cwd=ROOT,
        text=True,
        capture_output=True,
        timeout=120,
    )


def check_told(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 75, done.stderr
    assert "The disk is full" in done.stderr
    assert "Make room" in done.stderr
    assert "Traceback" not in done.stderr


def tables(project: Project) -> list[object]:
    return [project.table(name) for name in ("leads", "persons", "organizations", "deals")]


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(leads=20, persons=60, organizations=20) as box:
        yield box


@pytest.fixture
def truth(box: Sandbox, project_of: Callable[..., Project]) -> list[object]:
    """The tables of an account that was loaded without any mishap."""
    project = project_of(box)
    project.run()
    return tables(project)


@pytest.mark.parametrize(
    "limit", [0, 4_000, 8_000, 13_000, 300_000, 700_000, 1_500_000, 2_500_000, 4_000_000]
)
def test_a_first_load_that_fills_the_disk_goes_on_when_there_is_room(
    box: Sandbox, project_of: Callable[..., Project], truth: list[object], limit: int
) -> None:
    project = project_of(box)
    check_told(call(project, "run", limit=limit))
    left = {file.name for file in project.folder.iterdir()}
    assert "pipedrive.duckdb" not in left
    assert not [name for name in left if name.endswith(".tmp")]
    assert project.run().exit_code == 0
    assert tables(project) == truth


def test_a_transform_that_fills_the_disk_keeps_the_tables_as_they_were(
    box: Sandbox, project_of: Callable[..., Project], truth: list[object]
) -> None:
    project = project_of(box)
    project.run()
    with open_working(project.folder / "warehouse.duckdb") as connection:
        connection.execute("checkpoint")
    published = (project.folder / "pipedrive.duckdb").read_bytes()
    check_told(call(project, "transform", "--full", limit=100_000))
    assert (project.folder / "pipedrive.duckdb").read_bytes() == published
    assert tables(project) == truth
    assert project.run().exit_code == 0
    assert tables(project) == truth


def test_a_publish_that_fills_the_disk_keeps_the_old_file_and_is_made_up_for(
    box: Sandbox, project_of: Callable[..., Project]
) -> None:
    project = project_of(box)
    project.run()
    with open_working(project.folder / "warehouse.duckdb") as connection:
        connection.execute("checkpoint")
    published = (project.folder / "pipedrive.duckdb").read_bytes()
    with open_working(project.folder / "warehouse.duckdb") as connection:
        connection.execute("delete from ops.models where starts_with(name, 'published ')")
    check_told(call(project, "run", limit=1_000_000))
    assert (project.folder / "pipedrive.duckdb").read_bytes() == published
    assert list(project.folder.glob(".pipedrive*")) == []
    assert project.rows(
        "select outcome, exit_code, is_published from ops.runs order by started_time desc limit 1"
    ) == [("failed", 75, False)]
    assert project.run().is_published


@pytest.mark.parametrize(
    ("error", "is_full"),
    [
        (duckdb.IOException('Could not write file "/d/w.duckdb": No space left on device'), True),
        (
            duckdb.TransactionException(
                'Failed to commit: Could not write file "/d/w.duckdb": Disk quota exceeded'
            ),
            True,
        ),
        (
            duckdb.OutOfMemoryException(
                "failed to offload data block of size 256.0 KiB. This limit was set by the "
                "'max_temp_directory_size' setting."
            ),
            True,
        ),
        (duckdb.OutOfMemoryException("could not allocate block of size 256.0 KiB"), False),
        (duckdb.IOException('Cannot open file "/d/w.duckdb": Permission denied'), False),
        (OSError(28, "No space left on device", "/d/x.parquet"), True),
        (OSError(13, "Permission denied", "/d/x.parquet"), False),
        (ValueError("No space left on device"), False),
    ],
)
def test_a_full_disk_is_told_from_everything_else(error: Exception, is_full: bool) -> None:
    try:
        try:
            raise error  # noqa: TRY301 - a chain of causes, as dlt makes them
        except Exception as inner:
            raise RuntimeError("a package could not be loaded") from inner
    except RuntimeError as outer:
        found = find_full_disk(outer)
    assert (found is not None) is is_full
    if found and '"' in str(error):
        assert "/d/w.duckdb" in found.message


def test_work_that_ends_for_want_of_room_is_told_so_by_whoever_opened_the_file(
    tmp_path: Path,
) -> None:
    with pytest.raises(DiskFull) as caught, open_working(tmp_path / "w.duckdb"):
        raise duckdb.IOException("No space left on device")
    assert caught.value.exit_code == 75


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MB of its own, where this user may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except OSError:
        pytest.skip("nothing here mounts file systems")
    if done.returncode:
        pytest.skip("this user may not mount a file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_that_is_really_full_is_told_and_the_next_run_goes_on(
    box: Sandbox,
    project_of: Callable[..., Project],
    truth: list[object],
    small_disk: Path,
) -> None:
    project = project_of(box)
    project.folder = small_disk
    project.environment["WAREHOUSE__PATH"] = str(small_disk / "warehouse.duckdb")
    project.environment["WAREHOUSE__PUBLISH"] = str(small_disk / "pipedrive.duckdb")
    check_told(call(project, "run", limit=1_000_000_000))
    check_told(call(project, "run", limit=1_000_000_000))
    remount = ["mount", "-o", "remount,size=200m", str(small_disk)]
    subprocess.run(remount, check=True)
    assert project.run().exit_code == 0
    assert tables(project) == truth
