"""Opening DuckDB files: one place that knows the settings and what each refusal means."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path

import duckdb

from .encryption import connect_encrypted
from .errors import NothingLoaded, NothingPublished, WarehouseLocked, WarehouseUnusable
from .files import ensure_working_folder, private_files
from .lock import find_running
from .quoting import quote_literal
from .refusals import explain, find_full_disk

CHECKPOINT = "16MB"
"""Small commits wait in the log, over runs: a checkpoint rewrites whole row groups for them."""
BULK_CHECKPOINT = "1KB"
"""So low that a large commit goes straight into the file, and not into the log before."""

_HEADERS = 3 * 4096  # bytes at the beginning of every DuckDB file, written first of all
_MAGIC = slice(8, 12)
_ROW_GROUP = 122_880  # rows; what DuckDB works on in one piece


@contextmanager
def open_working(
    path: Path, memory_limit: str = "2GB", *, key: str = ""
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The working file, for writing, with the `ops` tables in place. Creates file and folder.

    It and its log are for their owner only, and encrypted where there is a `key`. Times are read
    and shown in UTC. Raises WarehouseLocked, WarehouseUnusable, KeyRefused; and DiskFull for
    whatever ends the work on it for want of room.
    """
    ensure_working_folder(path)
    with private_files():
        connection = _open(path, key, read_only=False)
        try:
            _configure(connection, memory_limit)
            connection.execute((files("warehouse") / "sql" / "ops.sql").read_text("utf-8"))
            yield connection
        except Exception as error:
            full = find_full_disk(error)
            if full is None or full is error:
                raise
            raise full from error
        finally:
            with suppress(duckdb.Error):  # after a fatal error nothing runs any more
                connection.execute("pragma disable_checkpoint_on_shutdown")
            connection.close()


@contextmanager
def open_published(
    path: Path, *, key: str = "", memory_limit: str = "", is_unsafe: bool = False
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published file, read-only; its SQL can reach neither other files nor the network.

    With `is_unsafe` it can: read and write files, attach databases, load extensions, set anything.
    Raises NothingPublished when there is none yet, WarehouseLocked, WarehouseUnusable, KeyRefused.
    """
    if not path.is_file():
        raise NothingPublished(
            f"There is no published file at {path} yet.",
            "pipeduck run makes it; pipeduck demo makes one without an account.",
        )
    connection = _open(path, key, read_only=True)
    try:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set python_enable_replacements = false")  # variables are no tables
        if memory_limit:
            _limit_memory(connection, memory_limit)
        if not is_unsafe:
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
def open_working_read_only(path: Path, *, key: str = "") -> Iterator[duckdb.DuckDBPyConnection]:
    """The working file for looking only.

    Raises NothingLoaded; WarehouseLocked during a run; WarehouseUnusable, KeyRefused.
    """
    require_working(path)
    connection = _open(path, key, read_only=True)
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
    _limit_memory(connection, memory_limit)


def _limit_memory(connection: duckdb.DuckDBPyConnection, memory_limit: str) -> None:
    try:
        connection.execute(f"set memory_limit = {quote_literal(memory_limit)}")
    except duckdb.Error as error:
        raise WarehouseUnusable(
            f"memory_limit {memory_limit!r} is not a size DuckDB knows.",
            'It looks like "2GB" or "512MB".',
        ) from error


def _open(path: Path, key: str, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    # A new file's format must know zstd, or payloads take ten times the space; DuckDB 1.2 reads it.
    config: dict[str, str | bool | int | float | list[str]] = (
        {} if read_only else {"storage_compatibility_version": "v1.2.0"}
    )
    if not read_only:
        _remove_stillborn(path)
    try:
        if key:
            return connect_encrypted(path, key, read_only=read_only)
        return duckdb.connect(str(path), read_only=read_only, config=config)
    except duckdb.Error as error:
        told = explain(path, error)
        running = find_running(path) if isinstance(told, WarehouseLocked) else None
        if running and running.pid != os.getpid():
            told = WarehouseLocked(
                f"{running.text[:1].upper()}{running.text[1:]}, on {path}.",
                "Wait until it has ended; to look at data, open the published file instead.",
            )
        raise told from error


def _remove_stillborn(path: Path) -> None:
    """Remove a file that was killed, or found no room, before it had all its headers.

    It holds nothing, and DuckDB does not open it. Anything that is no such file is left alone.
    """
    with suppress(OSError):
        if path.stat().st_size < _HEADERS:
            with path.open("rb") as begun:
                head = begun.read(_MAGIC.stop)
            if not head or head[_MAGIC] == b"DUCK":
                path.unlink()
