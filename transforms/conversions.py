"""Leads that became deals and deals that became leads again, from the record that names the other.

A lead that is converted vanishes from the lists of leads, and the deal says `source_lead_id`; a
deal that is turned back is deleted, and the lead says `source_deal_id` (Pipedrive's changelog,
conversions of 2025-04-22; SDK 31.5.0). No list of what was converted exists.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from transforms.models import read_sql
from transforms.raw import create_missing_sql

_NOTED = "noted conversions"
"""The row of `ops.models` that says which loads were looked at."""


@dataclass(frozen=True, slots=True)
class _Conversion:
    """From the records of `entity` to those of `successor`, which name them at `pointer`."""

    entity: str
    tables: tuple[str, str]
    successor_tables: tuple[str, str]
    pointer: str
    column: str  # of ops.tombstones, for the successor's id


_LEADS = ("raw.leads", "raw.archived_leads")
_DEALS = ("raw.deals", "raw.archived_deals")
_CONVERSIONS = (
    _Conversion("leads", _LEADS, _DEALS, "/source_lead_id", "converted_deal_id"),
    _Conversion("deals", _DEALS, _LEADS, "/source_deal_id", "converted_lead_id"),
)


def mark_conversions(connection: duckdb.DuckDBPyConnection, *, run_id: str) -> dict[str, int]:
    """Write tombstones for what was converted, all or nothing.

    Returns how many records were not marked before, by entity.

    A record is converted when another one names it and was read after its own newest copy: had it
    come back, a list would have shown it since. One that was updated after the other was added did
    come back, however often the other is read again. A tombstone of another reason is replaced,
    one of a conversion stays. Where several records name one, the one added first is its successor.
    Only records of loads since the last call are asked whom they name.
    """
    connection.execute(create_missing_sql() + read_sql("macros.sql"))
    connection.execute("begin transaction")
    try:
        marked = _mark_all(connection, run_id)
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise
    return marked


def _mark_all(connection: duckdb.DuckDBPyConnection, run_id: str) -> dict[str, int]:
    newest = " union all ".join(
        f"select max(_dlt_load_id) as load_id from {table}" for table in (*_LEADS, *_DEALS)
    )
    row = connection.execute(
        f"""
        select
            coalesce((select load_id from ops.models where name = $name), ''),
            coalesce((select max(load_id) from ({newest})), '')
        """,
        {"name": _NOTED},
    ).fetchone()
    since, load_id = row or ("", "")
    if load_id <= since:
        return {}
    marked = {c.entity: _mark(connection, c, since, run_id) for c in _CONVERSIONS}
    connection.execute("delete from ops.models where name = $name", {"name": _NOTED})
    connection.execute(
        "insert into ops.models (name, fingerprint, load_id, built_time)"
        " values ($name, '', $load_id, now())",
        {"name": _NOTED, "load_id": load_id},
    )
    return marked


def _mark(
    connection: duckdb.DuckDBPyConnection, conversion: _Conversion, since: str, run_id: str
) -> int:
    connection.execute(_converted_sql(conversion), {"since": since, "entity": conversion.entity})
    connection.execute(
        "delete from ops.tombstones where entity = $entity and id in (select id from converted)",
        {"entity": conversion.entity},
    )
    connection.execute(
        f"""
        insert into ops.tombstones by name
        select
            $entity as entity,
            id,
            'converted' as reason,
            coalesce(add_time, read_time) as deleted_time,
            successor_id as {conversion.column},
            read_time as marked_time,
            $run_id as run_id
        from converted
        """,
        {"entity": conversion.entity, "run_id": run_id},
    )
    row = connection.execute("select count(*) from converted where is_new").fetchone()
    connection.execute("drop table converted")
    return int(row[0]) if row else 0


def _converted_sql(conversion: _Conversion) -> str:
    """The temporary table `converted`: one row per record to mark, with its successor."""
    new = " union all ".join(
        f"select * from {table} where _dlt_load_id > $since"
        for table in conversion.successor_tables
    )
    copies = " union all ".join(
        f"select id, read_time, update_time, payload from {table}" for table in conversion.tables
    )
    return f"""
        create or replace temp table converted as
        -- both at once, as looking into payloads is most of the work
        with new_copies as (
            select
                id,
                payload ->> ['{conversion.pointer}', '/add_time'] as texts,
                read_time
            from ({new})
        ),

        -- a record that moved between its lists is in both
        successors as (
            select
                id,
                texts[1] as named_id,
                as_timestamp(texts[2]) as add_time,
                read_time
            from new_copies
            qualify row_number() over (partition by id order by read_time desc) = 1
        ),

        named as (
            select
                id::varchar as id,
                max(read_time) as read_time,
                max(update_time) as update_time,
                max(as_timestamp(payload ->> '/add_time')) as add_time
            from ({copies})
            where id::varchar in (select named_id from successors)
            group by id
        )

        select
            named.id,
            successors.id as successor_id,
            successors.add_time,
            successors.read_time,
            not exists (
                select 1
                from ops.tombstones as known
                where known.entity = $entity and known.id = named.id
            ) as is_new
        from successors
        join named on named.id = successors.named_id
        where named.read_time < successors.read_time
            -- changed after it was converted: it came back. Deals have whole seconds, leads
            -- milliseconds; a successor that has inherited its add_time says nothing of this
            and not coalesce(
                named.update_time > successors.add_time + interval 1 second
                and successors.add_time > named.add_time + interval 1 second,
                false
            )
            and not exists (
                select 1
                from ops.tombstones as known
                where known.entity = $entity
                    and known.id = named.id
                    and known.reason = 'converted'
            )
        qualify row_number() over (
            partition by named.id order by successors.add_time nulls last, successors.id
        ) = 1
    """
