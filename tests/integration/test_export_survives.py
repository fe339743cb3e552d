"""Exports that are killed or find the disk full: a file is the old one, the new one, or none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from exported import run
from others import ROOT

pytestmark = pytest.mark.skipif(os.name == "nt", reason="neither SIGKILL nor limits of files there")

KEYS = {"leads": ("id",), "persons": ("id",)}
_KILLED = f"""
import os, signal, sys
from pathlib import Path
from warehouse.export import changes, files, job, manifest, places, writers
module, name, count = sys.argv[3], sys.argv[4], int(sys.argv[5])
owner = globals()[module]
*path, last = name.split(".")
for part in path:
    owner = getattr(owner, part)
usual = getattr(owner, last)
def watched(*arguments, **named):
    global count
    count -= 1
    if not count:
        os.kill(os.getpid(), signal.SIGKILL)
    return usual(*arguments, **named)
setattr(owner, last, watched)
job.export(
    Path(sys.argv[1]),
    job.Wanted(
        out=sys.argv[2], form=sys.argv[6], since=sys.argv[7] or None, keys={KEYS!r}
    ),
)
"""
_LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
from pipelines.cli import main
for form in ("csv", "parquet", "jsonl", "xlsx"):
    try:
        main([*sys.argv[2:], "--format", form])
    except SystemExit as end:
        print(end.code)
"""


def fill(published: Path, version: str) -> None:
    with duckdb.connect(str(published)) as connection:
        for table in KEYS:
            connection.execute(
                f"create or replace table {table} as "
                f"select i as id, '{version}' || md5(i::varchar) as text from range(50_000) r(i)"
            )


@pytest.fixture
def published(tmp_path: Path) -> Path:
    file = tmp_path / "pipedrive.duckdb"
    fill(file, "old")
    return file


def killed(published: Path, out: Path, moment: tuple[str, str, int], form: str, since: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, *map(str, (published, out, *moment, form, since))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == -9, done.stderr


def contents(out: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in out.iterdir() if file.is_file()}


@pytest.mark.parametrize(
    ("moment", "form", "is_moved"),
    [
        (("writers", "CsvWriter.write", 2), "csv", 0),
        (("files", "Part.described", 2), "csv", 0),
        (("places", "replace_file", 1), "csv", 0),
        (("places", "replace_file", 2), "csv", 1),
        (("places", "replace_file", 3), "csv", 2),
        (("files", "Workbook.close", 1), "xlsx", 0),
    ],
)
def test_a_killed_export_leaves_whole_files_and_the_next_one_cleans_up(
    published: Path,
    tmp_path: Path,
    moment: tuple[str, str, int],
    form: str,
    is_moved: int,
) -> None:
    if form == "xlsx":
        with duckdb.connect(str(published)) as connection:
            connection.execute("delete from leads where id > 500; drop table persons")
    out, expected = tmp_path / "out", tmp_path / "expected"
    run(published, out, form=form, keys=KEYS)
    old = contents(out)
    if form == "csv":
        fill(published, "new")
    run(published, expected, form=form, keys=KEYS)
    new = contents(expected)

    killed(published, out, moment, form, "")
    found = contents(out)
    assert set(found) == set(old)
    assert found["manifest.json"] == old["manifest.json"]
    data = [name for name in sorted(found) if name != "manifest.json"]
    for number, name in enumerate(data):
        assert found[name] == (new if number < is_moved else old)[name]
    assert [file for file in out.rglob("*") if file.name.startswith(".pipeduck-export")]
    assert not [file for file in out.rglob(f"*.{form}") if file.parent != out]

    run(published, out, form=form, keys=KEYS)
    assert set(contents(out)) == set(old)
    assert not [file for file in out.iterdir() if file.is_dir()]
    if form == "csv":  # a workbook has the time of its making within
        assert {name: found for name, found in contents(out).items() if name in data} == {
            name: found for name, found in new.items() if name in data
        }


@pytest.mark.parametrize("moment", [("changes", "replace_file", 1), ("manifest", "asdict", 1)])
def test_changes_of_a_killed_export_come_again(
    published: Path, tmp_path: Path, moment: tuple[str, str, int]
) -> None:
    out = tmp_path / "out"
    killed(published, out, moment, "jsonl", "last")
    again = run(published, out, form="jsonl", since="last", keys=KEYS)
    assert [(entry.rows, entry.is_whole) for entry in again] == [(50_000, True)] * 2
    assert not [file for file in out.iterdir() if file.is_dir()]


def test_a_full_disk_is_told_keeps_the_old_file_and_leaves_nothing_behind(
    published: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for form in ("csv", "parquet", "jsonl", "xlsx"):
        run(published, out, form=form, keys=KEYS, tables=("leads",), columns=("id",))
    old = contents(out)
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            _LIMITED,
            "100000",
            "export",
            "--tables",
            "leads",
            "--out",
            str(out),
        ],
        env=os.environ | {"WAREHOUSE__PUBLISH": str(published)},
        cwd=tmp_path,
        text=True,
        capture_output=True,
        timeout=120,
    )
    assert done.stdout.split() == ["75"] * 4, done.stderr
    assert done.stderr.count("The disk is full") == 4
    assert "Traceback" not in done.stderr
    assert contents(out) == old
    assert not [file for file in out.iterdir() if file.is_dir()]


def test_leftovers_of_a_process_that_lives_are_not_touched(published: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    alive = out / f".pipeduck-export.{os.getppid()}-0123abcd.tmp"
    alike = out / ".pipeduck-export.mine.tmp"
    dead = out / ".pipeduck-export.4194999-0123abcd.tmp"
    for folder in (alive, alike, dead):
        folder.mkdir()
    run(published, out, keys=KEYS, tables=("leads",))
    assert [folder.exists() for folder in (alive, alike, dead)] == [True, True, False]
