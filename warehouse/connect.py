"""Opening DuckDB files: one place that knows the settings and what each refusal means."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path

import duckdb

from .errors import (
    NothingLoaded,
    NothingPublished,
    WarehouseError,
    WarehouseLocked,
    WarehouseUnusable,
)
from .quoting import quote_literal

CHECKPOINT = "16MB"
"""Small commits wait in the log, over runs: a checkpoint rewrites whole row groups for them."""
BULK_CHECKPOINT = "1KB"
"""So low that a large commit goes straight into the file, and not into the log before."""

_ROW_GROUP = 122_880  # rows; what DuckDB works on in one piece
_HOLDER = re.compile(r"held in (?P<program>[^(]+?)\s*\(PID (?P<pid>\d+)\)")


@contextmanager
def open_working(path: Path, memory_limit: str = "2GB") -> Iterator[duckdb.DuckDBPyConnection]:
    """The working file, for writing, with the `ops` tables in place. Creates file and folder.

    Times are read and shown in UTC. Raises WarehouseLocked, WarehouseUnusable.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WarehouseUnusable(
            f"The folder {path.parent} cannot be made: {error.strerror}.",
            "Set path under [warehouse] to a place this user may write to.",
        ) from error
    connection = _open(path, read_only=False)
    try:
        _configure(connection, memory_limit)
        connection.execute((files("warehouse") / "sql" / "ops.sql").read_text("utf-8"))
        yield connection
    finally:
        with suppress(duckdb.Error):  # after a fatal error nothing runs any more
            connection.execute("pragma disable_checkpoint_on_shutdown")
        connection.close()


@contextmanager
def open_published(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published file, read-only; its SQL can reach neither other files nor the network.

    Raises NothingPublished when there is none yet, WarehouseLocked, WarehouseUnusable.
    """
    if not path.is_file():
        raise NothingPublished(
            f"There is no published file at {path} yet.",
            "pipeduck run makes it; pipeduck demo makes one without an account.",
        )
    connection = _open(path, read_only=True)
    try:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
        yield connection
    finally:
        connection.close()


def require_working(path: Path) -> None:
    """Raises NothingLoaded where there is no working file."""
    if not path.is_file():
        raise NothingLoaded(
            f"There is no working file at {path} yet.",
            "pipeduck run makes it; pipeduck demo makes one without an account.",
        )


@contextmanager
def open_working_read_only(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The working file for looking only. Raises NothingLoaded; WarehouseLocked during a run."""
    require_working(path)
    connection = _open(path, read_only=True)
    try:
        connection.execute("set TimeZone = 'UTC'")
        yield connection
    finally:
        connection.close()


def fit_threads(connection: duckdb.DuckDBPyConnection) -> None:
    """As many threads as the largest table has row groups, at most one per core.

    More find nothing to do and cost: at 100,000 rows a second thread makes a transform a fifth
    dearer in CPU and a tenth slower.
    """
    found = connection.execute("select max(estimated_size) from duckdb_tables()").fetchone()
    rows = (found and found[0]) or 0
    threads = min(os.cpu_count() or 1, 1 + int(rows) // _ROW_GROUP)
    connection.execute(f"set threads = {threads}")


def _configure(connection: duckdb.DuckDBPyConnection, memory_limit: str) -> None:
    connection.execute("set TimeZone = 'UTC'")
    connection.execute(f"set checkpoint_threshold = '{CHECKPOINT}'")
    connection.execute("set threads = 1")  # packages are smaller than a row group
    try:
        connection.execute(f"set memory_limit = {quote_literal(memory_limit)}")
    except duckdb.Error as error:
        raise WarehouseUnusable(
            f"memory_limit {memory_limit!r} is not a size DuckDB knows.",
            'It looks like "2GB" or "512MB".',
        ) from error


def _open(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    # A new file's format must know zstd, or payloads take ten times the space; DuckDB 1.2 reads it.
    config: dict[str, str | bool | int | float | list[str]] = (
        {} if read_only else {"storage_compatibility_version": "v1.2.0"}
    )
    try:
        return duckdb.connect(str(path), read_only=read_only, config=config)
    except duckdb.Error as error:
        raise explain(path, error) from error


def explain(path: Path, error: duckdb.Error) -> WarehouseError:
    """What DuckDB's refusal to open `path` means for the person who wanted it."""
    text = str(error)
    if "lock" in text and (holder := _HOLDER.search(text)):
        return WarehouseLocked(
            f"{path} is open in another process ({holder['program']}, pid {holder['pid']}).",
            "Wait for it or close it; to look at data, open the published file instead.",
        )
    if "lock on file" in text:
        return WarehouseLocked(
            f"{path} is open in another process.",
            "Wait for it or close it; to look at data, open the published file instead.",
        )
    if "not a valid DuckDB database" in text or "is a directory" in text.lower():
        return WarehouseUnusable(
            f"{path} is not a DuckDB file.",
            "It was left as it is; choose another path under [warehouse].",
        )
    if "version number" in text:
        return WarehouseUnusable(
            f"{path} was written by a newer DuckDB than this one ({duckdb.__version__}).",
            "Upgrade pipeduck's duckdb, or write the file with DuckDB 1.5.",
        )
    first_line = text.splitlines()[0] if text else type(error).__name__
    return WarehouseUnusable(
        f"{path} cannot be opened: {first_line}", "Check that this user may read and write there."
    )
