"""What the report tells, as values: each file in `sql/` asks one question of the published file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from warehouse.connect import open_published
from warehouse.errors import WarehouseUnusable
from warehouse.quoting import quote_identifier

_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class Account:
    """Whose account; `as_of` is by Pipedrive's clock, `last_run` by this machine's."""

    company_domain: str
    last_run: datetime | None
    as_of: datetime
    version: str
    daily_limit: int | None
    daily_remaining: int | None


@dataclass(frozen=True, slots=True)
class Headline:
    """Numbers on top; `leads` are all that were ever loaded."""

    leads: int
    open_leads: int
    unseen: int
    new_this_week: int
    new_last_week: int
    converted_this_month: int
    converted_last_month: int


@dataclass(frozen=True, slots=True)
class OpenValue:
    """Open leads with a value in `currency`; None: those without a value."""

    currency: str | None
    leads: int
    value: Decimal | None


@dataclass(frozen=True, slots=True)
class Week:
    """Leads created in the week from Monday `week`, by their status now."""

    week: date
    open_leads: int
    converted: int
    archived: int
    deleted: int


@dataclass(frozen=True, slots=True)
class Age:
    """Open leads of an age; `median_days` is of all of them."""

    span: str
    leads: int
    median_days: float | None


@dataclass(frozen=True, slots=True)
class Duration:
    """Leads that ended after such a time; medians in days and `impossible` are of all."""

    span: str
    archived: int
    converted: int
    archived_median: float | None
    converted_median: float | None
    impossible: int


@dataclass(frozen=True, slots=True)
class Group:
    """Leads of a source, a label or an owner, by status; None: they have none."""

    name: str | None
    open_leads: int
    converted: int
    archived: int
    deleted: int


@dataclass(frozen=True, slots=True)
class Funnel:
    """`deals` are all, the others count leads: those that became a deal, by what became of it.

    `never_loaded` of the `leads` are known from their deals alone.
    """

    deals: int
    is_read: bool
    leads: int
    never_loaded: int
    converted: int
    won: int
    lost: int
    open_deals: int


@dataclass(frozen=True, slots=True)
class Filled:
    """A custom field, and how many of the records that are not gone have a value in it."""

    entity: str
    label: str
    column_name: str
    field_type: str
    filled: int
    records: int


@dataclass(frozen=True, slots=True)
class Entity:
    """A table: rows that are live and gone, the newest change in it, the last read of its list."""

    entity: str
    live: int
    gone: int
    newest_change: datetime | None
    last_read: datetime | None


@dataclass(frozen=True, slots=True)
class Run:
    """A run of the ledger."""

    started_time: datetime
    command: str
    outcome: str
    rows_loaded: int
    requests: int
    tokens: int
    seconds: float | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Check:
    """A data check of the last run that made any."""

    name: str
    description: str
    severity: str
    failing_rows: int
    checked_time: datetime


@dataclass(frozen=True, slots=True)
class Rejected:
    """Values that a column could not hold, by reason; `all_values` are those of all columns."""

    entity: str
    column_name: str
    reason: str
    values: int
    all_values: int


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the page says."""

    account: Account
    headline: Headline
    open_value: tuple[OpenValue, ...]
    weeks: tuple[Week, ...]
    ages: tuple[Age, ...]
    durations: tuple[Duration, ...]
    sources: tuple[Group, ...]
    labels: tuple[Group, ...]
    owners: tuple[Group, ...]
    funnel: Funnel
    filled: tuple[Filled, ...]
    entities: tuple[Entity, ...]
    runs: tuple[Run, ...]
    checks: tuple[Check, ...]
    rejected: tuple[Rejected, ...]


def read_facts(path: Path, *, key: str = "", now: datetime | None = None) -> Facts:
    """Ask the published file at `path`; `now` stands in where no run is on record.

    Raises NothingPublished, WarehouseLocked, KeyRefused, and WarehouseUnusable for a file that
    lacks what is asked for.
    """
    with open_published(path, key=key) as connection:
        try:
            return _read(connection, now or datetime.now(UTC))
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            reason = str(error).splitlines()[0]
            raise WarehouseUnusable(
                f"The published file {path} lacks what the report is about ({reason}).",
                "Another version of pipeduck made it: pipeduck transform makes it anew.",
            ) from error


def _read(connection: duckdb.DuckDBPyConnection, now: datetime) -> Facts:
    account = _account(connection, now)
    as_of = {"as_of": account.as_of}
    return Facts(
        account=account,
        headline=_rows(connection, "headline", Headline, as_of)[0],
        open_value=_rows(connection, "open_value", OpenValue),
        weeks=_rows(connection, "weeks", Week, as_of),
        ages=_rows(connection, "ages", Age, as_of),
        durations=_rows(connection, "durations", Duration),
        sources=_rows(connection, "sources", Group),
        labels=_rows(connection, "labels", Group),
        owners=_rows(connection, "owners", Group),
        funnel=_rows(connection, "funnel", Funnel)[0],
        filled=_filled(connection),
        entities=_rows(connection, "entities", Entity),
        runs=_rows(connection, "runs", Run),
        checks=_rows(connection, "checks", Check),
        rejected=_rows(connection, "rejected", Rejected),
    )


def _account(connection: duckdb.DuckDBPyConnection, now: datetime) -> Account:
    ((domain, last_run, as_of, version, limit, remaining),) = _ask(connection, "account")
    return Account(domain, last_run, as_of or now, version, limit, remaining)


def _filled(connection: duckdb.DuckDBPyConnection) -> tuple[Filled, ...]:
    """One scan per table, with one count per field. An empty list of options is no value."""
    fields: dict[str, list[tuple[str, str, str, str]]] = {}
    for entity, *field in _ask(connection, "custom_fields"):
        fields.setdefault(entity, []).append(tuple(field))
    found = []
    for entity, its in fields.items():
        counts = [
            f"count(*) filter (len({quote_identifier(column)}) > 0)"
            if sql_type.endswith("[]")
            else f"count({quote_identifier(column)})"
            for _, column, sql_type, _ in its
        ]
        ((records, *filled),) = connection.execute(
            f"select count(*), {', '.join(counts)} "
            f"from {quote_identifier(entity)} where not is_deleted"
        ).fetchall()
        found += [
            Filled(entity, label, column, field_type, values, records)
            for (label, column, _, field_type), values in zip(its, filled, strict=True)
        ]
    return tuple(found)


def _rows(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    kind: type[_Row],
    values: Mapping[str, Any] | None = None,
) -> tuple[_Row, ...]:
    return tuple(kind(*row) for row in _ask(connection, name, values))


def _ask(
    connection: duckdb.DuckDBPyConnection, name: str, values: Mapping[str, Any] | None = None
) -> list[tuple[Any, ...]]:
    sql = files("pipelines").joinpath("html_report", "sql", f"{name}.sql").read_text("utf-8")
    return connection.execute(sql, values or {}).fetchall()
