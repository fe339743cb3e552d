"""The DuckDB file: opening, quoting, the run ledger (`ops`), publishing, querying, exporting.

Knows nothing of Pipedrive. For notebooks: `from warehouse import read, read_sql, read_arrow`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .read import read, read_arrow, read_sql

__all__ = ["read", "read_arrow", "read_sql"]


def __getattr__(name: str) -> Any:
    """The functions above, imported when they are asked for: DuckDB is not when it is not."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(".read", __name__), name)
