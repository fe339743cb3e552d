"""`pipeduck status`: how fresh the warehouse is, what the last runs did and cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import duckdb

from warehouse.connect import open_published, open_working_read_only
from warehouse.errors import NothingPublished, WarehouseLocked, WarehouseUnusable
from warehouse.quoting import quote_identifier

from .config import Settings
from .costs import Costs, print_costs, read_costs
from .moments import ago, shown
from .schedule.note import Scheduled, find_schedule

_RUNS = 5
ENTITIES = ("leads", "persons", "organizations", "deals")


@dataclass(frozen=True)
class EntityStatus:
    """One entity: rows in the warehouse, its newest change, where its next read begins.

    `rows` are the live ones, `gone` those that are flagged as deleted. `reconciled` is when the
    whole list was last compared with them, `listed` how many it had, `difference` and `refusal`
    what came of it where they did not agree.
    """

    entity: str
    rows: int
    gone: int
    newest_update: datetime | None
    watermark: datetime | None
    last_read: datetime | None
    reconciled: datetime | None
    listed: int | None
    difference: str | None
    refusal: str | None


@dataclass(frozen=True)
class Status:
    """What `status` shows. `is_running`: the working file is in use, so the published one spoke."""

    working_file: str
    published_file: str
    published_time: datetime | None
    is_running: bool
    dialect: str | None
    user_name: str | None
    is_admin: bool | None
    company_domain: str | None
    entities: tuple[EntityStatus, ...]
    runs: tuple[dict[str, Any], ...]
    rejected_values: int
    failed_checks: tuple[str, ...]
    costs: Costs
    schedule: Scheduled | None

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


@dataclass(frozen=True)
class _Names:
    """What the tables are called in the file that is asked."""

    runs: str
    steps: str
    rejected_values: str
    checks: str
    schema: str

    def table(self, name: str) -> str:
        return f"{quote_identifier(self.schema)}.{quote_identifier(name)}"


_WORKING = _Names("ops.runs", "ops.steps", "ops.rejected_values", "ops.checks", "crm")
_PUBLISHED = _Names("sync_runs", "sync_steps", "rejected_values", "sync_checks", "main")


def read_status(settings: Settings) -> Status:
    """The status, from the working file, or from the published one while a run holds the other.

    Raises NothingPublished where there is neither.
    """
    working, published = settings.warehouse.path, settings.warehouse.publish
    key = settings.warehouse.encryption_key
    if working.is_file():
        try:
            with open_working_read_only(working, key=key) as connection:
                return _read_current(connection, settings, _WORKING, working)
        except WarehouseLocked:
            if not published.is_file():
                raise
    if not published.is_file():
        raise NothingPublished(
            f"There is neither {working} nor {published} yet.", "pipeduck run makes both."
        )
    with open_published(published, key=key) as connection:
        return _read_current(connection, settings, _PUBLISHED, published)


def _read_current(
    connection: duckdb.DuckDBPyConnection, settings: Settings, names: _Names, file: Path
) -> Status:
    """The status; raises WarehouseUnusable for a file that lacks what later versions write."""
    try:
        return _read(connection, settings, names)
    except (duckdb.BinderException, duckdb.CatalogException) as error:
        raise WarehouseUnusable(
            f"{file} was written by an earlier version of pipeduck.",
            "pipeduck run, or pipeduck transform, brings it up to date.",
        ) from error


def _read(connection: duckdb.DuckDBPyConnection, settings: Settings, names: _Names) -> Status:
    runs = _rows(connection, f"from {names.runs} order by started_time desc limit {_RUNS}")
    last = next((run for run in runs if run["user_id"] is not None), {})
    (rejected,) = _rows(connection, f"select count(*) as rows from {names.rejected_values}")
    return Status(
        working_file=str(settings.warehouse.path),
        published_file=str(settings.warehouse.publish),
        published_time=_modified(settings.warehouse.publish),
        is_running=names is _PUBLISHED and settings.warehouse.path.is_file(),
        dialect=next((run["dialect"] for run in runs if run["dialect"]), None),
        user_name=last.get("user_name"),
        is_admin=last.get("is_admin"),
        company_domain=last.get("company_domain"),
        entities=tuple(_entities(connection, names)),
        runs=tuple(runs),
        rejected_values=rejected["rows"],
        failed_checks=tuple(_failed_checks(connection, names)),
        costs=read_costs(lambda sql: _rows(connection, sql), names.runs, names.steps),
        schedule=find_schedule(settings.warehouse.path),
    )


def _failed_checks(connection: duckdb.DuckDBPyConnection, names: _Names) -> Iterator[str]:
    """The checks that failed when they were last made."""
    for row in _rows(
        connection,
        f"select severity, description, failing_rows from {names.checks} where failing_rows > 0 "
        f"and run_id = (select arg_max(run_id, checked_time) from {names.checks}) order by name",
    ):
        rows = "row" if row["failing_rows"] == 1 else "rows"
        yield f"{row['severity']}: {row['description']} ({row['failing_rows']:,} {rows})"


def _entities(connection: duckdb.DuckDBPyConnection, names: _Names) -> Iterator[EntityStatus]:
    reads = {
        row["entity"]: row
        for row in _rows(
            connection,
            f"""
            select
                entity,
                max(watermark) as watermark,
                max(started_time) filter (error is null) as last_read,
            from {names.steps}
            where step = 'read'
            group by entity
            """,
        )
    }
    reconciles = {
        row["entity"]: row
        for row in _rows(
            connection,
            f"""
            select entity, watermark, rows_listed, note, error
            from {names.steps}
            where step = 'reconcile'
            qualify row_number() over (partition by entity order by started_time desc) = 1
            """,
        )
    }
    built = _rows(
        connection,
        "select table_name from information_schema.tables "
        f"where table_schema = '{names.schema}' and table_name in {ENTITIES!r} order by all",
    )
    for table in (row["table_name"] for row in built):
        (found,) = _rows(
            connection,
            f"""
            select
                count(*) filter (not is_deleted) as rows,
                count(*) filter (is_deleted) as gone,
                max(update_time) filter (not is_deleted) as newest
            from {names.table(table)}
            """,
        )
        read, reconcile = reads.get(table, {}), reconciles.get(table, {})
        if not read and not found["rows"]:
            continue  # not loaded
        yield EntityStatus(
            table,
            found["rows"],
            found["gone"],
            found["newest"],
            read.get("watermark"),
            read.get("last_read"),
            reconcile.get("watermark"),
            reconcile.get("rows_listed"),
            reconcile.get("note"),
            reconcile.get("error"),
        )


def _rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    cursor = connection.execute(sql)
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _modified(path: Path) -> datetime | None:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC) if path.is_file() else None


def print_status(status: Status, stream: TextIO) -> None:
    """The status for a person."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(file=stream, highlight=False, width=None if stream.isatty() else 160)
    who = status.user_name or "unknown user"
    rights = {
        True: "admin",
        False: "not an admin: only what this user may see is loaded",
        None: "rights unknown",
    }[status.is_admin]
    console.print(f"account    {status.company_domain or 'unknown'}, as {who} ({rights})")
    console.print(f"lists      {status.dialect or 'not settled yet'}")
    console.print(f"working    {status.working_file}{' (a run is writing it)' * status.is_running}")
    console.print(f"published  {status.published_file}, {ago(status.published_time)}")
    if status.schedule:
        console.print(f"schedule   {status.schedule.text}", soft_wrap=True)
    entities = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("entity", "rows", "gone", "newest change", "watermark", "last read", "reconciled"):
        entities.add_column(name, justify="right" if name in {"rows", "gone"} else "left")
    for entity in status.entities:
        entities.add_row(
            entity.entity,
            f"{entity.rows:,}",
            f"{entity.gone:,}",
            shown(entity.newest_update),
            shown(entity.watermark),
            ago(entity.last_read),
            _compared(entity),
        )
    console.print(entities)
    for entity in status.entities:
        for text in (entity.refusal, entity.difference):
            if text:
                console.print(f"{entity.entity}: {text}", soft_wrap=True)
    runs = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("run", "command", "outcome", "rows", "requests", "tokens", "error"):
        is_number = name in {"rows", "requests", "tokens"}
        runs.add_column(name, justify="right" if is_number else "left")
    for run in status.runs:
        runs.add_row(
            shown(run["started_time"]),
            run["command"],
            run["outcome"] or ("running" if status.is_running else "interrupted"),
            *(f"{run[key] or 0:,}" for key in ("rows_loaded", "requests", "tokens")),
            run["error"] or "",
        )
    console.print(runs)
    print_costs(status.costs, stream)
    for check in status.failed_checks:
        console.print(f"check failed, {check}", soft_wrap=True)
    if status.rejected_values:
        console.print(f"{status.rejected_values:,} rejected values: see rejected_values")


def _compared(entity: EntityStatus) -> str:
    if entity.reconciled is None:
        return "never"
    is_equal = entity.refusal is None and entity.difference is None
    return f"{entity.reconciled:%Y-%m-%d} {'all' if is_equal else 'not'} as listed"
