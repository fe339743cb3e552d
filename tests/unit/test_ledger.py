"""The ledger: rows from several threads, and what is dropped of it after a while."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from warehouse import ledger as ledger_module
from warehouse.connect import open_working
from warehouse.ledger import Ledger, forget_old

NOW = datetime.now(UTC)


@pytest.fixture(params=["", "a key"], ids=["plain", "encrypted"])
def working(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_working(tmp_path / "w.duckdb", key=request.param) as connection:
        yield connection


def test_requests_are_noted_from_several_threads_while_a_package_is_written(
    working: duckdb.DuckDBPyConnection,
) -> None:
    ledger = Ledger(working, "run", "0")
    working.execute("create table big (i bigint)")
    working.begin()
    working.execute("insert into big select range from range(1000)")

    def note(number: int) -> None:
        ledger.request(
            "burst",
            "429 Too Many Requests",
            path="/api/v2/persons",
            attempt=number,
            is_final=False,
            entity="persons",
            params={"limit": 500, "cursor": "a'b"},
            status=429,
            wait_seconds=1.5,
        )

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(note, range(1, 41)))
    working.commit()
    rows = working.execute(
        "select run_id, entity, path, params, attempt, status, kind, wait_seconds, is_final "
        "from ops.requests order by attempt"
    ).fetchall()
    assert [row[4] for row in rows] == list(range(1, 41))
    first = rows[0]
    assert (first[0], first[1], first[2]) == (ledger.run_id, "persons", "/api/v2/persons")
    assert json.loads(first[3]) == {"limit": 500, "cursor": "a'b"}
    assert first[5:] == (429, "burst", 1.5, False)


def test_a_failed_run_has_published_nothing(working: duckdb.DuckDBPyConnection) -> None:
    ledger = Ledger(working, "run", "0")
    ledger.note(is_published=True)
    ledger.finish("failed", 75, "The disk is full.")
    assert working.execute("select outcome, is_published from ops.runs").fetchall() == [
        ("failed", False)
    ]


def add_run(
    working: duckdb.DuckDBPyConnection,
    days_ago: float,
    steps: list[dict[str, Any]],
    *,
    outcome: str = "ok",
    rows_loaded: int = 0,
) -> str:
    started = NOW - timedelta(days=days_ago)
    run_id = f"run {days_ago}"
    working.execute(
        "insert into ops.runs (run_id, command, started_time, outcome, rows_loaded, user_id, "
        "is_admin) values (?, 'run', ?, ?, ?, 7, true)",
        [run_id, started, outcome, rows_loaded],
    )
    for step in steps:
        columns = {"run_id": run_id, "started_time": started, "watermark": started} | step
        names, marks = ", ".join(columns), ", ".join("?" for _ in columns)
        working.execute(f"insert into ops.steps ({names}) values ({marks})", list(columns.values()))
    working.execute(
        "insert into ops.checks values (?, 'a', 'warn', 'a', 0, null, ?), "
        "(?, 'b', 'warn', 'b', 3, null, ?)",
        [run_id, started, run_id, started],
    )
    working.execute(
        "insert into ops.requests (run_id, time, path, attempt, kind, is_final) "
        "values (?, ?, '/', 1, 'burst', false)",
        [run_id, started],
    )
    return run_id


QUIET: list[dict[str, Any]] = [
    {"step": "read", "entity": "leads"},
    {"step": "read", "entity": "persons"},
    {"step": "recents", "entity": "persons"},
    {"step": "transform"},
]
RECONCILE: dict[str, Any] = {"step": "reconcile", "entity": "persons"}


def known(working: duckdb.DuckDBPyConnection) -> list[object]:
    """All that later runs ask of the steps."""
    return [
        ledger_module.last_read_times(working),
        ledger_module.left_out_lists(working),
        ledger_module.last_reconciles(working),
        ledger_module.last_reconciles(working, is_accepted=True),
        ledger_module.last_polls(working),
        ledger_module.refused_reconciles(working),
        ledger_module.last_lister(working, "persons"),
        ledger_module.last_lister(working, "leads"),
    ]


def steps_of(working: duckdb.DuckDBPyConnection, run_id: str) -> int:
    ((count,),) = working.execute(
        "select count(*) from ops.steps where run_id = ?", [run_id]
    ).fetchall()
    return int(count)


def test_old_rows_that_say_nothing_are_dropped_and_later_runs_know_as_much_as_before(
    working: duckdb.DuckDBPyConnection,
) -> None:
    only_here = {"step": "read", "entity": "users", "note": "not served"}
    oldest = add_run(working, 400, [*QUIET, RECONCILE, {**RECONCILE, "entity": "leads"}, only_here])
    quiet = [add_run(working, days, QUIET) for days in (300, 200, 120)]
    loud = add_run(working, 150, QUIET, rows_loaded=3)
    failed = add_run(working, 140, [{**QUIET[0], "error": "gone"}], outcome="failed")
    refused = add_run(working, 130, [{**RECONCILE, "error": "too many are missing"}], outcome="ok")
    recent = add_run(working, 2, QUIET[:1])
    before = known(working)
    forget_old(working, Ledger(working, "run", "0"))
    assert known(working) == before
    assert [steps_of(working, run_id) for run_id in quiet[:2]] == [0, 0]
    assert steps_of(working, loud) == len(QUIET)
    assert steps_of(working, failed) == steps_of(working, refused) == 1
    assert steps_of(working, oldest) == 3, "the last of their kind"
    assert steps_of(working, recent) == 1
    runs = "select count(*) from ops.runs"
    assert working.execute(runs).fetchall() == [(9,)], "runs stay"
    assert working.execute("select run_id from ops.requests").fetchall() == [(recent,)]
    failing = "select count(*), min(failing_rows) from ops.checks where run_id <> ?"
    assert working.execute(failing, [recent]).fetchall() == [(7, 3)]


def test_only_the_first_run_of_a_day_drops_anything(
    working: duckdb.DuckDBPyConnection,
) -> None:
    old = add_run(working, 300, QUIET)
    add_run(working, 120, QUIET)
    Ledger(working, "run", "0")
    forget_old(working, Ledger(working, "run", "0"))
    assert steps_of(working, old) == len(QUIET)
