"""Tables of the published file as pandas frames, for notebooks.

from warehouse.read import read, read_sql
leads = read("leads")
by_owner = read_sql("select owner_name, count(*) as leads from leads group by all")
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .connect import open_published
from .quoting import quote_identifier

if TYPE_CHECKING:
    import pandas as pd


def read(table: str, path: str | Path | None = None) -> pd.DataFrame:
    """A whole table, Arrow-backed: decimals, dates, lists and time zones keep their types."""
    return read_sql(f"select * from {quote_identifier(table)}", path=path)


def read_sql(
    sql: str, parameters: list[Any] | None = None, path: str | Path | None = None
) -> pd.DataFrame:
    """The result of `sql` on the published file; `parameters` are bound to its `?`.

    `path` is the published file: `$WAREHOUSE__PUBLISH`, else `data/pipedrive.duckdb`. The key of an
    encrypted one is read from `$WAREHOUSE__ENCRYPTION_KEY`.
    """
    import pandas as pd

    file = Path(path or os.environ.get("WAREHOUSE__PUBLISH", "data/pipedrive.duckdb"))
    key = os.environ.get("WAREHOUSE__ENCRYPTION_KEY", "")
    with open_published(file, key=key) as connection:
        arrow = connection.execute(sql, parameters or []).to_arrow_table()
    frame: pd.DataFrame = arrow.to_pandas(types_mapper=pd.ArrowDtype)
    return frame
