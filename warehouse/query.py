"""Ad-hoc SQL: statements, bound values, a running result, and Ctrl-C.

`$name` in SQL is a bound value, never pasted text. Several statements run in order; the rows
are those of the last one.
"""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from .connect import open_published
from .errors import QueryError
from .sql_errors import HELP, explain_sql

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH = 10_000
NO_VALUES: Mapping[str, str] = {}


@dataclass
class Result:
    """A running query: column names, their SQL types, and batches of rows, read once.

    `arrow` gives the rows as Arrow batches of about so many rows instead; `has_more` says, once
    the rows were read, whether a limit left some out.
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]
    batches: Iterator[list[tuple[Any, ...]]]
    arrow: Callable[[int], tuple[pa.Schema, Iterator[pa.RecordBatch]]] | None = None
    has_more: bool = False

    @property
    def names(self) -> list[str]:
        """The columns as keys: a second `a` is `a_1`, so that no value gets lost."""
        distinct: list[str] = []
        for name in self.columns:
            number, key = 0, name
            while key in distinct or (number and key in self.columns):
                number += 1
                key = f"{name}_{number}"
            distinct.append(key)
        return distinct

    @classmethod
    def of(cls, columns: Mapping[str, str], rows: Iterable[Sequence[Any]]) -> Result:
        """A result that is no query's: names with their types, and the rows."""
        return cls(tuple(columns), tuple(columns.values()), iter([[tuple(row) for row in rows]]))


_TALKATIVE = re.compile(r"\b(enable_logging|enable_profil\w+|profiling_\w+)\b", re.IGNORECASE)
"""Some print between the rows, and DuckDB 1.5 ends the process where one may not write its file."""


def run_query(
    path: Path,
    sql: str,
    write: Callable[[Result], None],
    *,
    key: str = "",
    values: Mapping[str, str] = NO_VALUES,
    limit: int | None = None,
    is_unsafe: bool = False,
) -> None:
    """Run `sql` on the published file and hand the result to `write`: see `run_sql`.

    Raises also NothingPublished, WarehouseLocked, WarehouseUnusable, KeyRefused.
    """
    with open_published(path, key=key, is_unsafe=is_unsafe) as connection:
        run_sql(connection, sql, write, values=values, limit=limit, is_unsafe=is_unsafe)


def run_sql(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    write: Callable[[Result], None],
    *,
    values: Mapping[str, str] = NO_VALUES,
    limit: int | None = None,
    is_unsafe: bool = False,
) -> None:
    """Run every statement of `sql` and hand the result of the last one to `write`.

    `values` are bound to `$name` as text, as if they stood in quotes. Of `limit` rows no more are
    read. Raises QueryError in DuckDB's words where the SQL does not run or a value is missing, and
    KeyboardInterrupt where Ctrl-C ended it; the connection can be used afterwards. What writes
    elsewhere than to the result is refused unless `is_unsafe`, as far as its name stands there.
    """
    with _interruptible(connection) as has_to_stop:
        try:
            cursor: duckdb.DuckDBPyConnection | None = None
            if not is_unsafe and (found := _TALKATIVE.search(sql)):
                raise QueryError(
                    f"{found[0]} writes elsewhere than to the result.", "--unsafe allows it."
                )
            for statement, bound in _bind(connection.extract_statements(sql), values):
                cursor = connection.execute(statement, bound or None)
            if cursor is None:  # nothing but white space and comments
                raise QueryError("There is no SQL to run.", HELP)
            write(_result(cursor, limit, has_to_stop))
        except duckdb.InterruptException as error:
            raise KeyboardInterrupt from error
        except duckdb.Error as error:
            raise explain_sql(connection, sql, error) from error


def _bind(
    statements: Sequence[duckdb.Statement], values: Mapping[str, str]
) -> list[tuple[duckdb.Statement, dict[str, str]]]:
    """Each statement with the values it names. Raises QueryError for one too many or too few."""
    known = {name.lower(): value for name, value in values.items()}
    named = {name for statement in statements for name in statement.named_parameters}
    for name in sorted(named):
        if name.lower() not in known:
            raise QueryError(
                f"The SQL names ${name}, and there is no value for it.",
                f"pipeduck query -p {name}=VALUE gives it; it is bound as text.",
            )
    for name in values:
        if name.lower() not in {other.lower() for other in named}:
            raise QueryError(
                f"There is a value for {name}, and the SQL does not name it.",
                f"Write ${name} where the value belongs.",
            )
    return [
        (statement, {name: known[name.lower()] for name in statement.named_parameters})
        for statement in statements
    ]


def _result(
    cursor: duckdb.DuckDBPyConnection, limit: int | None, has_to_stop: threading.Event
) -> Result:
    described = cursor.description or []

    def arrow(rows: int) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        reader = cursor.to_arrow_reader(rows)
        return reader.schema, _limited(reader, limit, result, has_to_stop)

    result = Result(
        tuple(str(column[0]) for column in described),
        tuple(str(column[1]) for column in described),
        iter(()),
        arrow,
    )
    result.batches = _limited(_batches(cursor), limit, result, has_to_stop)
    return result


def _batches(cursor: duckdb.DuckDBPyConnection) -> Iterator[list[tuple[Any, ...]]]:
    while batch := cursor.fetchmany(_BATCH):
        yield batch


def _limited(
    batches: Iterable[Any], limit: int | None, result: Result, has_to_stop: threading.Event
) -> Iterator[Any]:
    """The batches (lists or Arrow's) up to `limit` rows, or until Ctrl-C."""
    left = limit
    for batch in batches:
        if has_to_stop.is_set():
            raise KeyboardInterrupt
        if left is not None and len(batch) > left:
            result.has_more = True
            if left:
                yield batch[:left]
            return
        yield batch
        left = None if left is None else left - len(batch)


@contextmanager
def _interruptible(connection: duckdb.DuckDBPyConnection) -> Iterator[threading.Event]:
    """Let Ctrl-C end the query and leave the connection usable.

    Python's own handler would end the query too, and DuckDB 1.5 would hang at the next one.
    """
    has_to_stop = threading.Event()
    usual = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(usual):
        yield has_to_stop
        return

    def stop(*_: object) -> None:
        has_to_stop.set()
        connection.interrupt()

    signal.signal(signal.SIGINT, stop)
    try:
        yield has_to_stop
    finally:
        signal.signal(signal.SIGINT, usual)
