"""A package of rows into `raw` by dlt, as one DuckDB transaction: all of it is there, or nothing.

dlt commits each table of a package by itself. Killed in between, it leaves some tables ahead of
the others, and nothing tells which. Here it is given a connection that is in a transaction
already, the same one each time it asks, on which to begin and to commit does nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import dlt
import duckdb
from dlt.common.data_types import TDataType
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials
from dlt.destinations.impl.duckdb.factory import DuckDbTypeMapper
from dlt.pipeline.exceptions import PipelineStepFailed

from sources.pipedrive.package import Package
from sources.pipedrive.source import source_of
from warehouse.encryption import another

from .config import Settings
from .dlt_plugin import use, work_folder
from .errors import LoadFailed
from .positions import PIPELINE


class _CompressedJson(DuckDbTypeMapper):
    """Payloads as zstd: measured twice as fast to write and a fifth of the size."""

    sct_to_unbound_dbt: dict[TDataType, str] = {  # noqa: RUF012 - declared so by dlt
        **DuckDbTypeMapper.sct_to_unbound_dbt,
        "json": "JSON USING COMPRESSION zstd",
    }


def load_package(
    connection: duckdb.DuckDBPyConnection,
    packages: Sequence[Package],
    settings: Settings,
    checkpoint_threshold: str,
) -> None:
    """Load one package each of some readings, with the positions they have reached.

    dlt's folder is emptied first: what it knows is restored from the DuckDB file, so that file
    and state cannot disagree. dlt's own `checkpoint_threshold`, a gigabyte, has large commits
    written twice: to the log and to the file. Raises LoadFailed.
    """
    use(settings)
    shutil.rmtree(work_folder(settings), ignore_errors=True)
    try:
        with _transaction(connection) as transaction:
            credentials = DuckDbCredentials(
                connection, pragmas=[f"checkpoint_threshold = '{checkpoint_threshold}'"]
            )
            held: Any = _Held(transaction)
            credentials._external_conn = held  # the front door takes duckdb's own class only
            pipeline = dlt.pipeline(
                PIPELINE,
                destination=dlt.destinations.duckdb(credentials, type_mapper=_CompressedJson),
                dataset_name="raw",
            )
            pipeline.run(source_of(packages))
    except PipelineStepFailed as error:
        raise _told(error) from error


@contextmanager
def _transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    transaction = another(connection)
    transaction.begin()
    try:
        yield transaction
    except BaseException:
        transaction.rollback()
        raise
    else:
        transaction.commit()
    finally:
        transaction.close()


class _Held:
    """A connection whose transaction is somebody else's."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def duplicate(self) -> _Held:
        """The same one, where dlt asks for another; `cursor` likewise."""
        return self

    cursor = duplicate

    def begin(self) -> None:
        """Begun already."""

    def commit(self) -> None:
        """Later, with all the rest."""

    def rollback(self) -> None:
        """Later, with all the rest: whatever made dlt want it ends the package."""

    def close(self) -> None:
        """Later."""


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
