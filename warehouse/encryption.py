"""Encryption at rest: DuckDB's own, AES-256-GCM, of the whole file, its log and what it spills.

DuckDB reads encrypted files by itself. It writes them with OpenSSL only, which its `httpfs`
extension brings (the extra `encryption`); its own generator of random numbers is not fit for it.
Nothing is ever downloaded. https://duckdb.org/2025/11/19/encryption-in-duckdb
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import duckdb

from .quoting import quote_literal

ATTACHED = "warehouse"
"""What an encrypted file is called in its connection; plain ones are opened, not attached."""

_ASCII = 128
_PACKAGE = "duckdb_extension_httpfs"


def connect_encrypted(path: Path, key: str, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    """A connection whose default database is the encrypted file `path`; made if it is missing.

    What does not fit into memory is spilled encrypted, or not at all where OpenSSL is missing.
    Raises duckdb.Error, in whose words the key never is.
    """
    connection = duckdb.connect(
        ":memory:",
        config={"autoinstall_known_extensions": False, "autoload_known_extensions": False},
    )
    try:
        if _load_openssl(connection):
            connection.execute(f"set temp_directory = {quote_literal(f'{path}.tmp')}")
            connection.execute("set temp_file_encryption = true")
        else:
            connection.execute("set temp_directory = ''")
        options = with_key(key) + (", read_only" if read_only else "")
        connection.execute(f"attach {quote_literal(str(path))} as {ATTACHED} ({options})")
        connection.execute(f"use {ATTACHED}")
    except BaseException:
        connection.close()
        raise
    return connection


def with_key(key: str) -> str:
    """The option of `attach` that names the key.

    DuckDB reads it as a blob: all but letters and digits become `\\x5C`, or a backslash would
    mean something, and a letter beyond ASCII would be refused in words that repeat the key.
    """
    escaped = "".join(
        chr(byte) if chr(byte).isalnum() and byte < _ASCII else f"\\x{byte:02X}"
        for byte in key.encode()
    )
    return f"encryption_key {quote_literal(escaped)}"


def another(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """A second connection to the same database, for another transaction or another thread.

    `cursor` alone is not enough: it begins in the database that was opened, which is not the one
    that was attached.
    """
    cursor = connection.cursor()
    is_attached = "select 1 from duckdb_databases() where database_name = ?"
    if cursor.execute(is_attached, [ATTACHED]).fetchall():
        cursor.execute(f"use {ATTACHED}")
    return cursor


def is_readable(connection: duckdb.DuckDBPyConnection, path: Path, key: str) -> bool:
    """Whether `path` is a whole DuckDB file, encrypted with `key` or, without one, not at all."""
    options = "read_only" + (f", {with_key(key)}" if key else "")
    try:
        connection.execute(f"attach {quote_literal(str(path))} as looked_at ({options})")
    except duckdb.Error as error:
        # open in this process: somebody reads it
        return "Unique file handle conflict" in str(error)
    connection.execute("detach looked_at")
    return True


def _load_openssl(connection: duckdb.DuckDBPyConnection) -> bool:
    """Load `httpfs` from the installed package, or from where DuckDB keeps its extensions.

    DuckDB checks the signature of either.
    """
    for source in (*map(str, _packaged()), "httpfs"):
        with suppress(duckdb.Error):
            connection.execute(f"load {quote_literal(source)}")
            return True
    return False


def _packaged() -> Iterator[Path]:
    found = importlib.util.find_spec(_PACKAGE)
    for folder in (found and found.submodule_search_locations) or ():
        yield from Path(folder).glob(f"extensions/v{duckdb.__version__}/httpfs.duckdb_extension")
