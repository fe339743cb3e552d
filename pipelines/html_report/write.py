"""Make the report and put it in its place, whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from warehouse.errors import WarehouseUnusable
from warehouse.files import private_files, replace_file

from ..config import Settings
from .facts import read_facts
from .page import render


def make_report(settings: Settings) -> str:
    """The page about the published file, as HTML.

    Raises NothingPublished, WarehouseLocked, KeyRefused, WarehouseUnusable.
    """
    now = datetime.now(UTC)
    warehouse = settings.warehouse
    return render(read_facts(warehouse.publish, key=warehouse.encryption_key, now=now), now)


def write_report(settings: Settings, output: Path) -> Path:
    """Write the page to `output`, and give where that is. A report from before is replaced.

    It keeps the mode of the file it replaces; a new one is for owner and group, as the published
    file is. Raises as `make_report`, and WarehouseUnusable where it cannot be written.
    """
    page = make_report(settings)
    target = output.resolve()  # a link stays a link
    beside = target.with_name(f".{target.name or 'report'}.{os.getpid()}.tmp")
    try:
        if target.exists() and not target.is_file():
            if target.is_dir():
                raise IsADirectoryError(0, "it is a folder")
            target.write_text(page, "utf-8")  # a pipe or a device is written to, not replaced
            return target
        with private_files():
            beside.write_text(page, "utf-8")
        replace_file(beside, target)
    except OSError as error:
        raise WarehouseUnusable(
            f"The report {output} cannot be written: {error.strerror}.",
            "Choose another place with -o.",
        ) from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
    return target
