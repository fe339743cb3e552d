"""What is wrong with a person's SQL: DuckDB's sentence with line and caret, and what to try."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress

import duckdb

from .errors import QueryError, WarehouseError
from .refusals import find_full_disk

HELP = "pipeduck tables lists what there is."

_CATEGORY = re.compile(r"^[A-Z][\w ]* Error: ")
_COLUMN = re.compile(
    r'Referenced column "(?P<a>.+?)" (?:was )?not found'
    r'|does not have a column named "(?P<b>.+?)"'
    r'|column named "(?P<c>.+?)" (?:was )?not found'
)
_TABLE = re.compile(r"Table with name (?P<name>.+?) does not exist")
_WORD = re.compile(r"\w+")
_CANDIDATES = re.compile(r"^(?:Candidate bindings: ?:? ?|Did you mean )(?P<names>.*?)\??$")
_CLOSE = 0.6  # 1 is the same; difflib's own default
_MOST = 3  # names that are suggested


def explain_sql(
    connection: duckdb.DuckDBPyConnection, sql: str, error: duckdb.Error
) -> WarehouseError:
    """DuckDB's refusal of `sql` as one sentence with the place, and a hint with names that exist.

    A full disk is DiskFull, anything else QueryError.
    """
    if full := find_full_disk(error):
        return full
    text, _, place = str(error).partition("\n\nLINE ")
    head, *rest = [line for line in text.splitlines() if line.strip()] or [type(error).__name__]
    sentence = _CATEGORY.sub("", head).removesuffix("!")
    guessed = [found["names"] for line in rest if (found := _CANDIDATES.match(line))]
    kept = [line for line in rest if not _CANDIDATES.match(line)]
    message = "\n".join(
        [sentence if sentence.endswith((".", ":", "?")) else f"{sentence}.", *kept]
        + ([f"LINE {place}"] if place else [])
    )
    return QueryError(message, _hint(connection, sql, text, guessed))


def _hint(connection: duckdb.DuckDBPyConnection, sql: str, text: str, guessed: list[str]) -> str:
    if "disabled" in text and ("Permission Error" in text or "configuration" in text):
        return (
            "pipeduck query --unsafe lets SQL reach other files; docs/querying.md says what else."
        )
    if "read-only" in text:
        return "The published file is for reading; a temporary table (create temp table) works."
    names: list[str] = []
    help_ = HELP
    with suppress(duckdb.Error):  # in a transaction that is broken off, nothing more runs
        if column := _COLUMN.search(text):
            known, help_ = _columns(connection, sql)
            names = nearest(next(filter(None, column.groups())), known)
        elif table := _TABLE.search(text):
            found = connection.execute("select table_name from duckdb_tables()").fetchall()
            names = nearest(table["name"], {name: name for (name,) in found})
            guessed = []  # DuckDB's own would be a system table where ours are all far off
    if names:
        return f"Did you mean {' or '.join(names)}? {help_}"
    if guessed:
        return f"Did you mean {guessed[0].replace(chr(34), '')}? {help_}"
    return help_


def nearest(wanted: str, names: Mapping[str, str] | Iterable[str]) -> list[str]:
    """Up to three of `names` that look like `wanted`; of a mapping, what its keys stand for."""
    known = names if isinstance(names, Mapping) else {name: name for name in names}
    by_lower = {shown.lower(): name for shown, name in known.items()}
    lower = wanted.lower()
    alike = difflib.get_close_matches(lower, by_lower, n=_MOST, cutoff=_CLOSE)
    # custom columns have a prefix that is easily forgotten
    alike += [shown for shown in by_lower if shown == f"cf_{lower}" and shown not in alike]
    return list(dict.fromkeys(by_lower[shown] for shown in alike))[:_MOST]


def _columns(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[dict[str, str], str]:
    """What the columns of the tables that `sql` names are called, by name and by label."""
    words = {word.lower() for word in _WORD.findall(sql)}
    rows = connection.execute(
        "select table_name, column_name, comment from duckdb_columns() where not internal"
    ).fetchall()
    named = sorted({table for table, _, _ in rows if table.lower() in words})
    rows = [row for row in rows if row[0] in named or not named]
    # people remember what Pipedrive shows; a column of that very name is meant first
    known = {text.lower(): name for _, name, text in rows if text and name.startswith("cf_")}
    known |= {name.lower(): name for _, name, _ in rows}
    if not named:
        return known, HELP
    return known, f"{' or '.join(f'pipeduck columns {table}' for table in named)} lists them all."
