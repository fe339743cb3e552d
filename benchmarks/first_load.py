"""A first load, a quiet run and a run with few changes, of an account of a given size."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb


@dataclass(frozen=True)
class Cost:
    """What a process took: seconds of CPU and of wall time, megabytes at its peak."""

    cpu: float
    wall: float
    megabytes: float


@contextmanager
def sandbox(**options: int) -> Iterator[tuple[str, str]]:
    """A sandbox in its own process: its address and token."""
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    command = [sys.executable, "-m", "sources.sandbox", "--port=0", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), process.stdout.readline().strip()
        finally:
            process.terminate()


def do(url: str, **request: Any) -> None:
    """Ask the sandbox's control interface for a change."""
    body = json.dumps(request).encode()
    urllib.request.urlopen(urllib.request.Request(f"{url}/_sandbox/do", body)).read()


def warm(url: str, token: str) -> None:
    """Read the persons once, so that the sandbox answers from memory: no latency but the wire's."""
    cursor: str | None = ""
    while cursor is not None:
        address = f"{url}/api/v2/persons?limit=500&sort_by=update_time&sort_direction=asc"
        request = urllib.request.Request(
            address + (f"&cursor={cursor}" if cursor else ""), headers={"x-api-token": token}
        )
        with urllib.request.urlopen(request) as answer:
            cursor = json.load(answer)["additional_data"].get("next_cursor")


def run(folder: Path, url: str, token: str, *arguments: str) -> Cost:
    """`pipeduck run` in its own process."""
    environment = os.environ | {
        "SOURCES__PIPEDRIVE__BASE_URL": url,
        "SOURCES__PIPEDRIVE__API_TOKEN": token,
        "WAREHOUSE__PATH": str(folder / "warehouse.duckdb"),
        "WAREHOUSE__PUBLISH": str(folder / "pipedrive.duckdb"),
    }
    begun = time.perf_counter()
    script = str(Path(sys.executable).with_name("pipeduck"))
    process = subprocess.Popen([script, "run", *arguments], env=environment, cwd=folder)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, "the run failed"
    return Cost(
        usage.ru_utime + usage.ru_stime, time.perf_counter() - begun, usage.ru_maxrss / 1024
    )


def steps(folder: Path) -> list[tuple[Any, ...]]:
    """Wall seconds of the steps of the last run."""
    with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
        return connection.execute(
            """
            select coalesce(entity, step), round(seconds, 2) from ops.steps
            where run_id = (select max(run_id) from ops.runs) and seconds > 0.05
            order by started_time
            """
        ).fetchall()


def main(persons: int, fields: int) -> None:
    """Print the figures for `persons` with `fields` custom fields each."""
    sizes = {"persons": persons, "organizations": 100, "leads": 100, "archived_leads": 100}
    with tempfile.TemporaryDirectory() as name, sandbox(**sizes, fields=fields) as (url, token):
        folder = Path(name)
        print(f"{persons:,} persons, {fields} custom fields")
        warm(url, token)
        report("first load", run(folder, url, token), folder)
        report("nothing changed", run(folder, url, token), folder)
        for person in range(1, 51):
            do(url, action="edit", entity="person", id=person, name=f"Changed {person}")
        report("50 changed", run(folder, url, token), folder)
        sizes_mb = [
            f"{file.name} {file.stat().st_size / 1e6:.0f} MB" for file in folder.glob("*.duckdb")
        ]
        print("  files", ", ".join(sizes_mb))


def report(what: str, cost: Cost, folder: Path) -> None:
    """One line of figures."""
    print(f"  {what:<16} {cost.cpu:6.1f} s CPU  {cost.wall:6.1f} s wall  {cost.megabytes:6.0f} MB")
    print("                  ", ", ".join(f"{step} {seconds}" for step, seconds in steps(folder)))
