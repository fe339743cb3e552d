"""`ops.runs`, `ops.steps`, `ops.requests`: what each command did, what it cost, how it ended."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import duckdb

from .encryption import another
from .quoting import quote_identifier


class Ledger:
    """The row of one run and its steps, written as the run goes: a killed run leaves a trace."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, command: str, version: str) -> None:
        self._connection = connection
        self._guard = threading.Lock()
        self.started_time = datetime.now(UTC)
        self.run_id = f"{self.started_time:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        _insert(
            connection,
            "runs",
            run_id=self.run_id,
            command=command,
            started_time=self.started_time,
            version=version,
        )

    @property
    def seconds(self) -> float:
        """How long the run has taken so far."""
        return (datetime.now(UTC) - self.started_time).total_seconds()

    def note(self, **columns: Any) -> None:
        """Set columns of the run's row."""
        names = ", ".join(f"{quote_identifier(name)} = ?" for name in columns)
        self._connection.execute(
            f"update ops.runs set {names} where run_id = ?", [*columns.values(), self.run_id]
        )

    def step(self, step: str, **columns: Any) -> None:
        """Add a step (see `ops.steps` for which there are) with columns of `ops.steps`."""
        _insert(self._connection, "steps", run_id=self.run_id, step=step, **columns)

    def request(
        self,
        kind: str,
        message: str,
        *,
        path: str,
        attempt: int,
        is_final: bool,
        entity: str | None = None,
        params: Mapping[str, str | int] | None = None,
        status: int | None = None,
        wait_seconds: float | None = None,
    ) -> None:
        """Add a request that failed or had to wait; those that went well have no row.

        `is_final`: it is not tried again. `params` without secrets. Safe to call from any thread.
        """
        with self._guard, another(self._connection) as connection:
            _insert(
                connection,
                "requests",
                run_id=self.run_id,
                time=datetime.now(UTC),
                entity=entity,
                path=path,
                params=json.dumps(dict(params or {}), default=str),
                attempt=attempt,
                status=status,
                kind=kind,
                message=message,
                wait_seconds=wait_seconds,
                is_final=is_final,
            )

    def finish(self, outcome: str, exit_code: int, error: str | None = None) -> None:
        """Close the run's row: `ok`, `partial` or `failed`; a failed run has published nothing."""
        self.note(ended_time=datetime.now(UTC), outcome=outcome, exit_code=exit_code, error=error)
        if outcome == "failed":
            self.note(is_published=False)


def forget_old(connection: duckdb.DuckDBPyConnection, ledger: Ledger, days: int = 90) -> None:
    """Drop what nobody asks of the ledger any more; does something in the first run of a day.

    Older than `days`: steps of runs that ended well and loaded nothing, checks that found nothing,
    and requests. Runs stay, and so does of each step and entity the newest and the one that got
    furthest, of those that went well as of those that did not: from these a later run goes on.
    """
    found = connection.execute(
        "select 1 from ops.runs where run_id <> ? and started_time >= date_trunc('day', ?)",
        [ledger.run_id, ledger.started_time],
    ).fetchall()
    if found:
        return
    before = {"before": ledger.started_time - timedelta(days=days)}
    connection.execute(
        """
        delete from ops.steps
        where run_id in (
            select run_id from ops.runs
            where started_time < $before and outcome = 'ok' and coalesce(rows_loaded, 0) = 0
        )
        and rowid not in (
            select unnest([
                arg_max(rowid, coalesce(started_time, 'epoch'::timestamptz)),
                arg_max(rowid, coalesce(watermark, 'epoch'::timestamptz)),
            ])
            from ops.steps
            group by step, entity, error is null
        )
        """,
        before,
    )
    connection.execute(
        "delete from ops.checks where checked_time < $before and failing_rows = 0", before
    )
    connection.execute("delete from ops.requests where time < $before", before)


def last_read_times(connection: duckdb.DuckDBPyConnection) -> dict[str, datetime]:
    """When each entity was last read without an error."""
    return dict(
        connection.execute(
            "select entity, max(started_time) from ops.steps "
            "where step = 'read' and error is null group by entity"
        ).fetchall()
    )


def left_out_lists(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """The optional lists that were not served when they were last asked for."""
    rows = connection.execute(
        "select entity from ops.steps where step = 'read' "
        "group by entity having arg_max(coalesce(note, ''), started_time) <> ''"
    ).fetchall()
    return {entity for (entity,) in rows}


def last_reconciles(
    connection: duckdb.DuckDBPyConnection, *, is_accepted: bool = False
) -> dict[str, datetime]:
    """When each public table was last compared with a whole list; or last with a good end."""
    return dict(
        connection.execute(
            "select entity, max(watermark) from ops.steps where step = 'reconcile' "
            "and (error is null or not $is_accepted) group by entity "
            "having max(watermark) is not null",
            {"is_accepted": is_accepted},
        ).fetchall()
    )


def last_polls(connection: duckdb.DuckDBPyConnection) -> dict[str, datetime]:
    """Up to when the recent changes of each public table were polled."""
    return dict(
        connection.execute(
            "select entity, max(watermark) from ops.steps "
            "where step = 'recents' and error is null group by entity "
            "having max(watermark) is not null"
        ).fetchall()
    )


def first_poll(connection: duckdb.DuckDBPyConnection) -> datetime | None:
    """When the first load began, by Pipedrive's clock: recent changes are asked for since then."""
    found = connection.execute(
        "select min(watermark) from ops.steps where step = 'recents'"
    ).fetchone()
    return found[0] if found else None


def refused_reconciles(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The public tables whose last reconcile was refused, and why."""
    return dict(
        connection.execute(
            """
            select entity, last_error
            from (
                select entity, arg_max({'error': error}, started_time).error as last_error
                from ops.steps
                where step = 'reconcile'
                group by entity
            )
            where last_error is not null
            """
        ).fetchall()
    )


class Lister(NamedTuple):
    """The user behind the token who listed a table."""

    user_id: int | None
    user_name: str | None
    is_admin: bool | None


def last_lister(connection: duckdb.DuckDBPyConnection, table: str) -> Lister | None:
    """Who listed `table` when a reconcile was last accepted."""
    found = connection.execute(
        """
        select runs.user_id, runs.user_name, runs.is_admin
        from ops.steps as steps
        join ops.runs as runs on runs.run_id = steps.run_id
        where steps.step = 'reconcile' and steps.entity = ? and steps.error is null
        order by steps.started_time desc
        limit 1
        """,
        [table],
    ).fetchone()
    return Lister(*found) if found else None


def remembered_dialect(connection: duckdb.DuckDBPyConnection) -> str | None:
    """The dialect that the newest run with `api = "auto"` settled on."""
    found = connection.execute(
        "select dialect from ops.runs where dialect is not null and api = 'auto' "
        "order by started_time desc limit 1"
    ).fetchone()
    return str(found[0]) if found else None


def last_company(connection: duckdb.DuckDBPyConnection) -> int | None:
    """The company whose data the file holds, as far as a run has learned it."""
    found = connection.execute(
        "select company_id from ops.runs where company_id is not null and rows_loaded is not null "
        "order by started_time desc limit 1"
    ).fetchone()
    return int(found[0]) if found else None


def _insert(connection: duckdb.DuckDBPyConnection, table: str, **columns: Any) -> None:
    names = ", ".join(quote_identifier(name) for name in columns)
    marks = ", ".join("?" for _ in columns)
    connection.execute(
        f"insert into ops.{quote_identifier(table)} ({names}) values ({marks})",
        list(columns.values()),
    )
