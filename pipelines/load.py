"""From readings to `raw`, package by package, each committed before the next one is read."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import duckdb

from sources.pipedrive.package import Package
from sources.pipedrive.reading import Reading
from warehouse.connect import BULK_CHECKPOINT, CHECKPOINT

from .config import Settings
from .errors import ClockBehind

_AHEAD = 5_000  # rows of each list, of some kilobytes each


def load(
    connection: duckdb.DuckDBPyConnection,
    readings: Sequence[Reading],
    settings: Settings,
    on_package: Callable[[int], None],
) -> None:
    """Load the readings package by package until all are finished.

    What differs is known before it is loaded, so that a run that brings nothing never starts dlt.
    `on_package` is called with the number of packages committed so far while there are more to
    come. Raises LoadFailed, ClockBehind.
    """
    _check_clock(connection)
    is_bulk = any(reading.is_append for reading in readings if reading.endpoint.kind == "entity")
    threshold = BULK_CHECKPOINT if is_bulk else CHECKPOINT
    waiting: list[Package] = []
    committed = 0
    with ThreadPoolExecutor(settings.source.concurrency, "read") as threads:
        for wave in _waves(readings):
            unfinished = wave
            while unfinished:
                begun = [Package(reading) for reading in unfinished]
                list(threads.map(lambda package: package.read_ahead(_AHEAD), begun))
                waiting += [package for package in begun if package.is_worth_loading]
                if waiting and not all(reading.is_finished for reading in unfinished):
                    _load_package(connection, waiting, settings, threshold)
                    waiting = []
                    committed += 1
                unfinished = [reading for reading in unfinished if not reading.is_finished]
                if unfinished:
                    on_package(committed)
    if waiting:
        _load_package(connection, waiting, settings, threshold)


def _load_package(
    connection: duckdb.DuckDBPyConnection,
    packages: Sequence[Package],
    settings: Settings,
    threshold: str,
) -> None:
    from .packages import load_package  # brings dlt, over a second of imports

    load_package(connection, packages, settings, threshold)


def _waves(readings: Sequence[Reading]) -> list[list[Reading]]:
    """Archived records are read after the open ones: what is archived meanwhile is in one of both.

    Side by side, a record could leave each list just before that list is read.
    """
    second = [r for r in readings if r.endpoint.table not in ("", r.endpoint.entity)]
    first = [reading for reading in readings if reading not in second]
    return [wave for wave in (first, second) if wave]


def _check_clock(connection: duckdb.DuckDBPyConnection) -> None:
    """Raises ClockBehind: transforms take in what is newer than what they know, and no more."""
    tables = connection.execute(
        "select 1 from information_schema.tables "
        "where table_schema = 'raw' and table_name = '_dlt_loads'"
    ).fetchall()
    if not tables:
        return
    ((newest,),) = connection.execute("select max(load_id) from raw._dlt_loads").fetchall()
    if newest and float(newest) > time.time():
        raise ClockBehind(
            "This machine's clock is behind the last load: "
            f"{datetime.fromtimestamp(float(newest), UTC):%Y-%m-%d %H:%M:%S} UTC.",
            "Set the clock right, or wait until it has passed that time.",
        )
