"""The one place where text becomes part of SQL."""

from __future__ import annotations


def quote_identifier(name: str) -> str:
    """`name` as a quoted SQL identifier: `a"b` becomes `"a""b"`.

    Raises ValueError for an empty name or one with a NUL character, which DuckDB cannot hold.
    """
    if not name or "\0" in name:
        raise ValueError(f"not usable as an identifier: {name!r}")
    return '"' + name.replace('"', '""') + '"'


def quote_literal(value: str) -> str:
    """`value` as a SQL string literal, for the places where SQL takes no bound value.

    Those are generated models (options in a MAP), COMMENT ON and ATTACH; everywhere else bind.
    A NUL character, which DuckDB text cannot hold in a literal, becomes U+FFFD.
    """
    return "'" + value.replace("\0", "\ufffd").replace("'", "''") + "'"
