"""What is known to be gone: marking it, taking marks back, comparing a whole list with the rows.

Records are flagged, never removed. A mark says when it was made; a copy of the record that was read
later voids it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import duckdb
import pyarrow as pa

from .quoting import quote_identifier, quote_literal

Reason = Literal["deleted", "merged", "absent"]
_TOLD = "['deleted', 'merged']"  # SQL of the reasons that Pipedrive gives


@dataclass(frozen=True)
class Mark:
    """A record that is gone. `deleted_time` None: not known, so it is when it was found out."""

    id: int | str
    reason: Reason
    deleted_time: datetime | None = None
    merged_into_id: int | None = None


@dataclass(frozen=True)
class PublicTable:
    """A table of `crm` and the tables of `raw` its records are in, a record in any of them."""

    name: str
    raw: tuple[str, ...]

    def copies(self) -> str:
        """SQL of every copy of every record: its id as text, when it was read and updated."""
        return " union all ".join(
            f"select id::varchar as id, read_time, update_time from raw.{quote_identifier(table)}"
            for table in self.raw
        )


def mark(
    connection: duckdb.DuckDBPyConnection,
    table: PublicTable,
    marks: Sequence[Mark],
    *,
    marked_time: datetime,
    run_id: str,
) -> int:
    """Mark records of `table` as gone; returns how many were not marked before.

    Records that are not loaded are passed over, and so are those with a copy read after
    `marked_time`, or one that was changed after it is said to have been deleted. What is known more
    exactly stays: converted over merged over deleted over absent; of two deletions or merges the
    later one, as the record was back in between.
    """
    if not marks:
        return 0
    connection.register("arrived", _as_table(marks))
    connection.execute(
        f"""
        create or replace temp table fresh_marks as
        select arrived.*, known.id is null as is_new
        from arrived
        join (
            select id, max(read_time) as read_time, max(update_time) as update_time
            from ({table.copies()})
            group by id
        ) as copies
            on copies.id = arrived.id
            and copies.read_time <= $marked_time
            and coalesce(copies.update_time <= arrived.deleted_time + interval 1 second, true)
        left join ops.tombstones as known
            on known.entity = {quote_literal(table.name)} and known.id = arrived.id
        where {_rank("arrived.reason")} > coalesce({_rank("known.reason")}, 0)
            or (
                arrived.deleted_time > known.deleted_time
                and list_contains({_TOLD}, arrived.reason)
                and list_contains({_TOLD}, known.reason)
            )
        """,
        {"marked_time": marked_time},
    )
    ((marked,),) = connection.execute("select count(*) from fresh_marks where is_new").fetchall()
    connection.execute(
        f"delete from ops.tombstones where entity = {quote_literal(table.name)} "
        "and id in (select id from fresh_marks)"
    )
    connection.execute(
        f"""
        insert into ops.tombstones by name
        select
            {quote_literal(table.name)} as entity,
            id,
            reason,
            coalesce(deleted_time, $marked_time) as deleted_time,
            merged_into_id,
            $marked_time as marked_time,
            $run_id as run_id
        from fresh_marks
        """,
        {"marked_time": marked_time, "run_id": run_id},
    )
    connection.execute("drop table fresh_marks")
    connection.unregister("arrived")
    return int(marked)


def forget_returned(connection: duckdb.DuckDBPyConnection, table: PublicTable) -> int:
    """Take back the marks of records that were read again since; returns how many."""
    found = connection.execute(
        f"""
        delete from ops.tombstones
        where entity = {quote_literal(table.name)} and exists (
            select 1 from ({table.copies()}) as copies
            where copies.id = tombstones.id and copies.read_time > tombstones.marked_time
        )
        """
    ).fetchone()
    return int(found[0]) if found else 0


def live_rows(
    connection: duckdb.DuckDBPyConnection, table: PublicTable, since: datetime | None = None
) -> dict[str, int]:
    """How many records are not marked as gone, by the raw table that has their newest copy.

    `since` leaves out those that a list of what is newer cannot hold.
    """
    rows = connection.execute(
        f"{_live_sql(table, since)} select place, count(*) from live group by place",
        {} if since is None else {"since": since},
    ).fetchall()
    counts = dict(rows)
    return {raw: int(counts.get(place, 0)) for place, raw in enumerate(table.raw)}


def find_absent(
    connection: duckdb.DuckDBPyConnection,
    table: PublicTable,
    listed: Sequence[pa.Array],
    since: datetime | None = None,
) -> dict[str, list[str]]:
    """Ids of live records that are not in `listed`, the ids of a whole list, by raw table.

    `since`: the list holds nothing older, so that older records cannot be told to be absent.
    """
    connection.register("listed", _ids(listed))
    rows = connection.execute(
        f"{_live_sql(table, since)} select place, id from live "
        "where id not in (select id from listed) order by id",
        {} if since is None else {"since": since},
    ).fetchall()
    connection.unregister("listed")
    return {raw: [id_ for of, id_ in rows if of == place] for place, raw in enumerate(table.raw)}


def count_ids(listed: Sequence[pa.Array]) -> int:
    """How many different ids were listed."""
    return len(_ids(listed).column("id").unique())


def _live_sql(table: PublicTable, since: datetime | None) -> str:
    """A `with` that names the records not marked as gone, each where its newest copy is."""
    copies = " union all ".join(
        f"select {place} as place, id::varchar as id, read_time, update_time "
        f"from raw.{quote_identifier(raw)}"
        for place, raw in enumerate(table.raw)
    )
    return f"""
        with newest as (
            -- read at once: the archived copy, as in the models
            select id, arg_max(place, (read_time, place)) as place
            from ({copies})
            group by id
            {"" if since is None else "having max(update_time) >= $since"}
        ),

        live as (
            select *
            from newest
            where id not in (
                select id from ops.tombstones where entity = {quote_literal(table.name)}
            )
        )
    """


def _ids(listed: Sequence[pa.Array]) -> pa.Table:
    arrays = [array.cast(pa.string()) for array in listed]
    return pa.table({"id": pa.chunked_array(arrays, pa.string())})


def _as_table(marks: Sequence[Mark]) -> pa.Table:
    latest = {str(mark.id): mark for mark in marks}
    columns: dict[str, Any] = {
        "id": pa.array(latest, pa.string()),
        "reason": pa.array([m.reason for m in latest.values()], pa.string()),
        "deleted_time": pa.array(
            [m.deleted_time for m in latest.values()], pa.timestamp("us", "UTC")
        ),
        "merged_into_id": pa.array([m.merged_into_id for m in latest.values()], pa.int64()),
    }
    return pa.table(columns)


def _rank(reason: str) -> str:
    return f"list_position(['absent', 'deleted', 'merged', 'converted'], {reason})"
