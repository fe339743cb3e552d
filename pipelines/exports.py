"""`pipeduck export`: what Pipedrive's tables have for keys and times, and where exports go."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from warehouse.export.job import STDOUT, Wanted, export
from warehouse.export.manifest import Entry
from warehouse.export.places import without_user
from warehouse.export.writers import FORMATS, Format

from .config import Settings
from .config_values import Invalid, moment
from .errors import ConfigError
from .logs import Log

_ID = ("id",)
_VERSION = ("id", "version")
KEYS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("leads", "persons", "organizations", "deals", "pipelines", "stages", "users",
         "lead_labels", "currencies"),
        _ID,
    ),
    **dict.fromkeys(
        ("lead_history", "person_history", "organization_history", "deal_history"), _VERSION
    ),
    "lead_sources": ("name",),
    "person_emails": ("person_id", "position"),
    "person_phones": ("person_id", "position"),
    "custom_fields": ("entity", "key"),
    "custom_field_options": ("entity", "key", "option_id"),
    "sync_runs": ("run_id",),
}  # fmt: skip
"""What tells the rows of a table apart. Of the others the whole row does."""

TIMES = (
    *("add_time", "update_time", "archive_time", "deleted_time", "won_time", "lost_time"),
    *("close_time", "stage_change_time", "created", "modified"),
    *("valid_from", "valid_to", "started_time", "ended_time", "checked_time"),
)
"""Columns that say when a row changed."""


@dataclass(frozen=True)
class Options:
    """What the command line says of an export."""

    out: str
    form: Format | None = None
    tables: tuple[str, ...] = ()
    query: str | None = None
    file: Path | None = None
    columns: tuple[str, ...] = ()
    partition_by: tuple[str, ...] = ()
    changed_since: str | None = None
    is_labelled: bool = False
    is_safe: bool = False


def run_export(settings: Settings, options: Options, log: Log) -> list[Entry]:
    """Write an export and say what was written. Raises ConfigError, and what `export` raises."""
    form = options.form or _form_of(options.out)
    if options.is_safe and form != "csv":
        raise ConfigError(
            f"--safe-csv is for csv, and the format is {form}.",
            "In xlsx text is never a formula; parquet and jsonl are not for spreadsheets.",
        )
    wanted = Wanted(
        out=options.out,
        form=form,
        tables=options.tables,
        query=_query(options),
        columns=options.columns,
        partition_by=options.partition_by,
        since=_since(options.changed_since),
        is_labelled=options.is_labelled,
        is_safe=options.is_safe,
        keys=KEYS,
        times=TIMES,
    )
    entries = export(
        settings.warehouse.publish,
        wanted,
        key=settings.warehouse.encryption_key,
        memory_limit=settings.warehouse.memory_limit,
        version=version("pipeduck"),
        stdout=sys.stdout.buffer if options.out == STDOUT else None,
    )
    for entry in entries:
        _tell(entry, options.out, log)
    return entries


def names(given: Sequence[str]) -> tuple[str, ...]:
    """Names given with commas, or one at a time, or both. Raises ConfigError for none at all."""
    found = tuple(name.strip() for text in given for name in text.split(",") if name.strip())
    if given and not found:
        raise ConfigError("A list of names is empty.", "Is a variable in it unset?")
    return found


def _form_of(out: str) -> Format:
    """The format that the name of a file says; csv where it says nothing."""
    return next((form for form in FORMATS if out.lower().endswith(f".{form}")), "csv")


def _query(options: Options) -> str | None:
    given = [
        name
        for name, value in (
            ("--tables", options.tables),
            ("--query", options.query),
            ("--file", options.file),
        )
        if value
    ]
    if len(given) > 1:
        raise ConfigError(f"{' and '.join(given)} are both given.", "An export takes one of them.")
    if options.file is None:
        return options.query
    try:
        return options.file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{options.file} cannot be read: {error}.", "Check --file.") from error


def _since(given: str | None) -> datetime | Literal["last"] | None:
    if given is None or given == "last":
        return "last" if given else None
    try:
        found = moment(given.strip())
    except Invalid:
        found = None
    if found is None:
        raise ConfigError(
            f"--changed-since {given!r} is not a time.",
            "It is last, or a time such as 2026-05-01 or 2026-05-01T06:00Z.",
        )
    return found


def _tell(entry: Entry, out: str, log: Log) -> None:
    """What became of a table, in a line."""
    if out == STDOUT:
        where = ""
    elif not entry.files:
        where = ", no file"
    elif len(entry.files) == 1:
        where = f" in {entry.files[0].path}"
    else:
        where = f" in {len(entry.files):,} files"
    what = f"{entry.rows:,} row{'' if entry.rows == 1 else 's'}"
    if entry.changes:
        counts = ", ".join(f"{number:,} {change}" for change, number in entry.changes.items())
        what = f"{what} ({counts})" if entry.rows else "nothing has changed"
    why = ""
    if entry.changed_since == "last" and entry.is_whole:
        why = "; the first export of changes to this target"
    elif entry.changed_since and entry.is_whole:
        why = "; all of them, for the table has no times"
    log.write(
        f"{entry.table}: {what}{where}{why}",
        "export",
        table=entry.table,
        rows=entry.rows,
        files=len(entry.files),
        format=entry.format,
        out=without_user(out),
    )
    if entry.cut_cells:
        log.write(
            f"{entry.table}: {entry.cut_cells:,} cells were longer than Excel takes, and are cut. "
            "csv and parquet have them whole.",
            "export",
            "warning",
            table=entry.table,
            cut_cells=entry.cut_cells,
        )
