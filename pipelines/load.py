"""From readings to `raw`: dlt packages, one after the other, each committed before the next."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import dlt
import duckdb
from dlt.common.data_types import TDataType
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials
from dlt.destinations.impl.duckdb.factory import DuckDbTypeMapper
from dlt.pipeline.exceptions import PipelineStepFailed

from sources.pipedrive.reading import Reading
from sources.pipedrive.source import source_of
from warehouse.connect import BULK_CHECKPOINT, CHECKPOINT

from .config import Settings
from .dlt_plugin import use, work_folder
from .errors import ClockBehind, LoadFailed


class _CompressedJson(DuckDbTypeMapper):
    """Payloads as zstd: measured twice as fast to write and a fifth of the size."""

    sct_to_unbound_dbt: dict[TDataType, str] = {  # noqa: RUF012 - declared so by dlt
        **DuckDbTypeMapper.sct_to_unbound_dbt,
        "json": "JSON USING COMPRESSION zstd",
    }


def load(
    connection: duckdb.DuckDBPyConnection,
    readings: Sequence[Reading],
    settings: Settings,
    on_package: Callable[[int], None],
) -> None:
    """Load the readings package by package until all are finished.

    dlt's folder is emptied first: what it knows is restored from the DuckDB file, so that file
    and state cannot disagree. `on_package` is called with the number of packages committed so far
    while there are more to come. Raises LoadFailed.
    """
    _check_clock(connection)
    use(settings)
    shutil.rmtree(work_folder(settings), ignore_errors=True)
    # dlt's own threshold, a gigabyte, has large commits written twice: to the log and to the file.
    is_bulk = any(reading.is_append for reading in readings if reading.endpoint.kind == "entity")
    threshold = BULK_CHECKPOINT if is_bulk else CHECKPOINT
    pipeline = dlt.pipeline(
        "pipedrive",
        destination=dlt.destinations.duckdb(
            DuckDbCredentials(connection, pragmas=[f"checkpoint_threshold = '{threshold}'"]),
            type_mapper=_CompressedJson,
        ),
        dataset_name="raw",
    )
    packages = 0
    for wave in _waves(readings):
        unfinished = wave
        while unfinished:
            try:
                packages += len(pipeline.run(source_of(unfinished)).loads_ids)
            except PipelineStepFailed as error:
                raise _told(error) from error
            unfinished = [reading for reading in unfinished if not reading.is_finished]
            if unfinished:
                on_package(packages)


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


def _told(error: PipelineStepFailed) -> LoadFailed:
    """dlt's error in a sentence: the innermost cause is the one that says something."""
    cause: BaseException = error
    while cause.__cause__ or cause.__context__:
        cause = cause.__cause__ or cause.__context__ or cause
    reason = next(iter(str(cause).splitlines()), "") or type(cause).__name__
    return LoadFailed(
        f"A package could not be loaded (step {error.step}): {reason}",
        "What was committed before is kept, the published file is as it was; --debug tells more.",
    )
