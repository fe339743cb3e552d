"""How a value of each SQL type is written in each format: as SQL, so that DuckDB does the work.

Times are UTC and say so: `2026-05-15T10:11:04Z`. What a format has no type for is text, and text
can be cast back to the type that the manifest names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec
from duckdb.sqltypes import DuckDBPyType

from ..quoting import quote_identifier, quote_literal
from .relation import Column

NESTED = frozenset({"list", "array", "struct", "map", "union"})
INTEGERS = frozenset(
    {"tinyint", "smallint", "integer", "bigint", "utinyint", "usmallint", "uinteger", "ubigint"}
)
FLOATS = frozenset({"float", "double"})
TIMESTAMPS = frozenset({"timestamp", "timestamp_s", "timestamp_ms"})
TIMESTAMP_TZ = "timestamp with time zone"

_KEPT = INTEGERS | FLOATS | {"boolean", "decimal"}
_DATED = TIMESTAMPS | {TIMESTAMP_TZ, "timestamp_ns", "date", "time"}
_UNKNOWN_TO_PARQUET = frozenset(
    {"interval", "time with time zone", "bit", "bignum", "varint", "enum", "union", "uhugeint",
     "hugeint", "json", "geometry"}
)  # fmt: skip
_FORMULA = "[=+\\-@\t\r\n＝＋－＠]"  # the wide ones begin a formula in East Asian spreadsheets
_HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"


def in_parquet(kind: DuckDBPyType, sql: str) -> str:
    """Its own type where Parquet and Arrow have it, else text."""
    if kind.id == "hugeint":
        return f"cast({sql} as decimal(38, 0))"
    if kind.id in _UNKNOWN_TO_PARQUET:
        return f"cast({sql} as varchar)"
    if kind.id in NESTED and _holds(kind, _UNKNOWN_TO_PARQUET):
        return in_json(kind, sql)
    return sql


def in_csv(kind: DuckDBPyType, sql: str, *, is_safe: bool) -> str:
    """A number, or text; where `is_safe`, no text that a spreadsheet takes for a formula."""
    if kind.id in _KEPT:
        return sql
    if kind.id == "hugeint":
        return f"cast({sql} as decimal(38, 0))"
    text = as_text(kind, sql)
    if not is_safe or kind.id in NESTED or kind.id in _DATED or str(kind) == "JSON":
        return text
    return (
        f"case when regexp_matches({text}, {quote_literal('^' + _FORMULA)}) "
        f"then '''' || {text} else {text} end"
    )


def without_formula(text: str) -> str:
    """The same for a header."""
    return f"'{text}" if re.match(_FORMULA, text) else text


def in_xlsx(kind: DuckDBPyType, sql: str) -> str:
    """A number, a boolean, a date or time for Excel, or text."""
    if kind.id in _KEPT or kind.id in {"date", "time", TIMESTAMP_TZ}:
        return sql
    if kind.id in TIMESTAMPS:
        return f"cast({sql} as timestamp)"
    return in_csv(kind, sql, is_safe=False)


def in_json(kind: DuckDBPyType, sql: str) -> str:
    """JSON text of a value; numbers that JSON has not (NaN) are text. NULL stays NULL."""
    if str(kind) == "JSON":
        return f"replace(cast({sql} as varchar), chr(10), ' ')"
    if kind.id in FLOATS:
        return (
            f"case when isfinite({sql}) then cast(to_json({sql}) as varchar) "
            f"else cast(to_json(cast({sql} as varchar)) as varchar) end"
        )
    if kind.id in NESTED:
        return f"cast(to_json({_json_ready(kind, sql, 0)}) as varchar)"
    if kind.id in _KEPT or kind.id == "hugeint":
        return f"cast({sql} as varchar)"
    return f"cast(to_json({as_text(kind, sql)}) as varchar)"


def as_text(kind: DuckDBPyType, sql: str) -> str:
    """A value as text: times ISO 8601 with what zone they are in, nested values as JSON."""
    if kind.id in TIMESTAMPS or kind.id == TIMESTAMP_TZ:
        zone = "Z" if kind.id == TIMESTAMP_TZ else ""
        moment = sql if zone else f"cast({sql} as timestamp)"
        return (
            f"case when not isfinite({moment}) then cast({moment} as varchar) "
            f"when epoch_us({moment}) % 1000000 = 0 "
            f"then strftime({moment}, '%Y-%m-%dT%H:%M:%S{zone}') "
            f"else strftime({moment}, '%Y-%m-%dT%H:%M:%S.%f{zone}') end"
        )
    if kind.id in NESTED:
        return in_json(kind, sql)
    return f"cast({sql} as varchar)"


def json_line(columns: Sequence[Column], sources: Sequence[str]) -> str:
    """A row as one JSON object: made of text, so that JSON within is as it was received."""
    parts = []
    for number, (column, source) in enumerate(zip(columns, sources, strict=True)):
        begin = ("{" if number == 0 else ",") + _json_text(column.header) + ":"
        parts += [quote_literal(begin), f"coalesce({in_json(column.type, source)}, 'null')"]
    return f"concat({', '.join(parts)}, '}}')"


def fingerprint(columns: Sequence[Column]) -> str:
    """A hash of what a row holds. A column that is NULL adds nothing: a new one changes no row."""
    parts = [
        f"{quote_literal(_json_text(column.name) + ':')} || "
        f"{in_json(column.type, quote_identifier(column.name))} || ','"
        for column in sorted(columns, key=lambda column: column.name)
    ]
    return f"unhex(md5(concat({', '.join(parts)}, '')))"


def partition(columns: Sequence[Column], sources: Sequence[str]) -> str:
    """The folder of a row, as Hive has it: `status=open/owner_id=7`, escaped as in URLs."""
    parts = []
    for column, source in zip(columns, sources, strict=True):
        text = as_text(column.type, source)
        parts.append(
            f"url_encode({quote_literal(column.name)}) || '=' || case "
            f"when {source} is null then '{_HIVE_NULL}' "
            f"when lower({text}) in ('null', '{_HIVE_NULL.lower()}') "  # which readers take for it
            f"then printf('%%%X', ascii({text})) || {text}[2:] "
            f"else url_encode({text}) end"
        )
    return " || '/' || ".join(parts)


def _json_ready(kind: DuckDBPyType, sql: str, depth: int) -> str:
    """A nested value whose leaves `to_json` writes as they are meant."""
    if not _holds(kind, FLOATS | _DATED - {"date", "time"}):
        return sql
    if kind.id in {"list", "array"}:
        item = f"v{depth}"
        child = next(child for name, child in _children(kind) if name == "child")
        ready = _json_ready(child, item, depth + 1)
        return f"list_transform({sql}, lambda {item}: {ready})"
    if kind.id == "struct" and all(name for name, _ in _children(kind)):
        # quoted as text: in brackets a field can have any name
        fields = ", ".join(
            f"{quote_literal(name)}: {_json_ready(child, f'({sql})[{quote_literal(name)}]', depth)}"
            for name, child in _children(kind)
        )
        return f"case when {sql} is not null then {{{fields}}} end"
    if kind.id in FLOATS:
        return f"cast({in_json(kind, sql)} as json)"
    if kind.id in TIMESTAMPS or kind.id == TIMESTAMP_TZ:
        return as_text(kind, sql)
    return sql


def _holds(kind: DuckDBPyType, ids: frozenset[str]) -> bool:
    """Whether a type is, or has within, one of `ids`."""
    name = "json" if str(kind) == "JSON" else kind.id
    if name in ids:
        return True
    if kind.id not in NESTED:
        return False
    return any(_holds(child, ids) for _, child in kind.children if isinstance(child, DuckDBPyType))


def _children(kind: DuckDBPyType) -> list[tuple[str, DuckDBPyType]]:
    """The types within; an array has its size among them too."""
    return [(name, child) for name, child in kind.children if isinstance(child, DuckDBPyType)]


def _json_text(text: str) -> str:
    return msgspec.json.encode(text).decode()
