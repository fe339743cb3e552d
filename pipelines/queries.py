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
        target = output.resolve()
        # a pipe or a device is written to, not replaced
        is_special = target.exists() and not target.is_file()
        beside = target if is_special else target.with_name(f".{target.name or 'out'}.tmp")
        try:
            with beside.open("w", encoding="utf-8", newline="") as stream:
                rows = FORMATS[form](result, stream)
            if not is_special:
                beside.replace(target)
        except OSError as error:
            raise WarehouseUnusable(
                f"{output} cannot be written: {error.strerror}.", "Choose another place with -o."
            ) from error
        finally:
            if not is_special:
                beside.unlink(missing_ok=True)

    run_query(
        settings.warehouse.publish,
        sql,
        to_file if output else to_stdout,
        key=settings.warehouse.encryption_key,
    )
    return rows


def generated_sql(
    settings: Settings, entity: Literal["leads", "persons", "organizations", "deals"]
) -> str:
    """The SQL generated for the custom fields of `entity`, from what is loaded.

    Raises NothingLoaded, WarehouseLocked.
    """
    from transforms.runner import show

    with open_working_read_only(
        settings.warehouse.path, key=settings.warehouse.encryption_key
    ) as connection:
        return show(connection, entity)
