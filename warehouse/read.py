"""Tables of the published file as frames, for notebooks.

from warehouse import read, read_sql
leads = read("leads")
by_owner = read_sql("select owner_name, count(*) as leads from leads group by all")

Called as a module too, so that `from warehouse import read` gives the function whichever of the two
was imported first.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .connect import open_published
from .quoting import quote_identifier

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Parameters = Sequence[Any] | Mapping[str, Any]


def read(
    table: str, path: str | Path | None = None, *, columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """A whole table, or some of its `columns`, as a pandas frame.

    Arrow-backed: decimals, dates, lists and structs keep their types, a whole number with NULLs
    stays one, times are UTC. Raises what `read_arrow` raises.
    """
    picked = "*" if columns is None else ", ".join(map(quote_identifier, columns))
    return read_sql(f"select {picked} from {quote_identifier(table)}", path=path)


def read_sql(
    sql: str, parameters: Parameters | None = None, path: str | Path | None = None
) -> pd.DataFrame:
    """The result of `sql` on the published file, as a pandas frame of the same kind."""
    import pandas as pd

    frame: pd.DataFrame = read_arrow(sql, parameters, path).to_pandas(types_mapper=pd.ArrowDtype)
    return frame


def read_arrow(
    sql: str, parameters: Parameters | None = None, path: str | Path | None = None
) -> pa.Table:
    """The result of `sql` on the published file, as an Arrow table: for polars and others.

    `parameters` are bound: a list to `?`, a dict to `$name`. `path` is the published file:
    `$WAREHOUSE__PUBLISH`, else `data/pipedrive.duckdb`. The key of an encrypted one is read from
    `$WAREHOUSE__ENCRYPTION_KEY`. Raises NothingPublished, WarehouseLocked, WarehouseUnusable,
    KeyRefused, and duckdb.Error for SQL that does not run.
    """
    file = Path(path or os.environ.get("WAREHOUSE__PUBLISH") or "data/pipedrive.duckdb")
    key = os.environ.get("WAREHOUSE__ENCRYPTION_KEY", "")
    with open_published(file, key=key) as connection:
        return connection.execute(sql, parameters or []).to_arrow_table()


class _Callable(ModuleType):
    """This module, which can be called like the function that it is named after."""

    def __call__(self, *arguments: Any, **named: Any) -> pd.DataFrame:
        return read(*arguments, **named)


sys.modules[__name__].__class__ = _Callable
