"""`kill -9` at any moment of a first load: the next run goes on, and all is as it should be."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest
from history_of_account import History
from projects import Project

from sources.sandbox import Sandbox

_ACCOUNT = {
    "persons": 40, "organizations": 25, "leads": 30, "archived_leads": 30, "deals": 25,
    "archived_deals": 20,
}  # fmt: skip
_KEYS = {"page_size": "5", "package_rows": "15"}
_LISTS = 6
_PAGES = 15 // 5 + 4  # of a package: those that were read, and the rows of the second it began in
_STATEMENTS = 1_500  # of a first load of this account, about
_RECORDS = ("/leads", "/archived", "/persons", "/organizations", "/deals")
_KILLER = Path(__file__).parents[1] / "support" / "killed.py"


def kill(project: Project, statement: int) -> int:
    """Run in a process of its own that is killed before so many statements; its exit code."""
    keys = {f"SOURCES__PIPEDRIVE__{name.upper()}": value for name, value in _KEYS.items()}
    ended = subprocess.run(
        [sys.executable, str(_KILLER), str(statement), "run"],
        env=os.environ | project.environment | keys,
        cwd=project.folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode in (0, -signal.SIGKILL), ended.stderr
    return ended.returncode


@cache
def _uninterrupted() -> tuple[int, int]:
    """The requests of a first load that is let be, and how many of them are for no record."""
    with tempfile.TemporaryDirectory() as folder, Sandbox(**_ACCOUNT) as box:
        Project(Path(folder), box).run(**_KEYS)
        others = sum(not request.path.endswith(_RECORDS) for request in box.requests)
        return len(box.requests), others


def moments(how_many: int) -> list[Any]:
    """Moments over the whole of a first load."""
    return [1 + number * _STATEMENTS // how_many for number in range(how_many)]


@pytest.mark.parametrize(
    "statement",
    [
        *moments(12),
        *(
            pytest.param(m, marks=pytest.mark.thorough)
            for m in moments(100)
            if m not in moments(12)
        ),
    ],
)
def test_a_first_load_that_is_killed_goes_on_and_loses_nothing(
    statement: int, tmp_path: Path
) -> None:
    uninterrupted, others = _uninterrupted()
    with Sandbox(**_ACCOUNT) as box:
        project = Project(tmp_path, box)
        assert kill(project, statement) == -signal.SIGKILL, "the load has fewer statements now"
        published = tmp_path / "pipedrive.duckdb"
        if published.exists():
            with duckdb.connect(str(published), read_only=True) as connection:
                assert connection.execute("select count(*) from persons").fetchone() == (40,)
        history = History(box, project, "v2")
        history.run(lambda: project.run(**_KEYS))
        assert len(box.requests) <= uninterrupted + _LISTS * _PAGES + others
        assert not list(tmp_path.glob(".*.tmp*"))
