"""`ops.runs` and `ops.steps`: what each command did, what it cost, how it ended."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any, NamedTuple

import duckdb

from .quoting import quote_identifier


class Ledger:
    """The row of one run and its steps, written as the run goes: a killed run leaves a trace."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, command: str, version: str) -> None:
        self._connection = connection
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

    def finish(self, outcome: str, exit_code: int, error: str | None = None) -> None:
        """Close the run's row: `ok`, `partial` or `failed`."""
        self.note(ended_time=datetime.now(UTC), outcome=outcome, exit_code=exit_code, error=error)


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
            "and (error is null or not $is_accepted) group by entity",
            {"is_accepted": is_accepted},
        ).fetchall()
    )


def last_polls(connection: duckdb.DuckDBPyConnection) -> dict[str, datetime]:
    """Up to when the recent changes of each public table were polled."""
    return dict(
        connection.execute(
            "select entity, max(watermark) from ops.steps "
            "where step = 'recents' and error is null group by entity"
        ).fetchall()
    )


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
