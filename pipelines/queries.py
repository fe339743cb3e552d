"""`pipeduck query` and `pipeduck transforms show`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

from warehouse.connect import open_working_read_only
from warehouse.errors import WarehouseUnusable
from warehouse.query import FORMATS, Result, run_query

from .config import Settings


def query(settings: Settings, sql: str, form: str, output: Path | None = None) -> int:
    """Write the rows of `sql` to stdout, or whole or not at all to `output`; returns how many.

    Raises NothingPublished, QueryError, WarehouseUnusable.
    """
    rows = 0

    def to_stdout(result: Result) -> None:
        nonlocal rows
        rows = FORMATS[form](result, sys.stdout)

    def to_file(result: Result) -> None:
        nonlocal rows
        assert output is not None
        beside = output.with_name(f".{output.name}.tmp")
        try:
            with beside.open("w", encoding="utf-8", newline="") as stream:
                rows = FORMATS[form](result, stream)
            beside.replace(output)
        except OSError as error:
            raise WarehouseUnusable(
                f"{output} cannot be written: {error.strerror}.", "Choose another place with -o."
            ) from error
        finally:
            beside.unlink(missing_ok=True)

    run_query(settings.warehouse.publish, sql, to_file if output else to_stdout)
    return rows


def generated_sql(settings: Settings, entity: Literal["leads", "persons", "organizations"]) -> str:
    """The SQL generated for the custom fields of `entity`, from what is loaded.

    Raises NothingLoaded, WarehouseLocked.
    """
    from transforms.runner import show

    with open_working_read_only(settings.warehouse.path) as connection:
        return show(connection, entity)
