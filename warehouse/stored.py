"""What `raw` holds already, so that a load writes only rows that differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from .encryption import another
from .quoting import quote_identifier, quote_literal


class Comparison(NamedTuple):
    """The rows worth loading, and how many of those given are new, changed and unchanged."""

    rows: pa.Table
    new: int
    changed: int
    unchanged: int


class StoredRows:
    """Rows of `raw` in an open working file, for comparing with rows that were just read.

    `tables` names, for a public table, the raw ones its records are in. Where there are two,
    records move between them (leads and archived leads): a row counts as unchanged only where it
    stands in the table it was read last in, and that may be by this very object, whose rows are on
    their way. One that is marked as gone counts as changed: it came back.
    Safe to use from several threads.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        tables: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._connection = connection
        self._public = {raw: public for public, raws in (tables or {}).items() for raw in raws}
        self._other = {
            raw: other
            for raws in (tables or {}).values()
            for raw in raws
            for other in raws
            if other != raw
        }
        self._loading: dict[str, set[Any]] = {raw: set() for raw in self._other}

    def count(self, table: str) -> int:
        """How many rows `raw.table` holds; 0 where it does not exist yet."""
        if not self._exists(table):
            return 0
        found = self._cursor().execute(f"select count(*) from {_raw(table)}").fetchone()
        return int(found[0]) if found else 0

    def compare(self, table: str, rows: pa.Table) -> Comparison:
        """Which of `rows` (id, payload, …) differ from those of `raw.table` with the same id.

        A record that is known from the table it moved from is changed, not new.
        """
        found = self._compare(table, rows)
        if table in self._loading:
            self._loading[table].update(found.rows.column("id").to_pylist())
        return found

    def _compare(self, table: str, rows: pa.Table) -> Comparison:
        if not self._exists(table) or not rows.num_rows:
            return Comparison(rows, rows.num_rows, 0, 0)
        other = self._other.get(table)
        moved = self._loading.get(other or "", set())
        join, is_known, is_elsewhere = "", "here.id is not null", "false"
        if other and self._exists(other):
            join = f"left join {_raw(other)} as elsewhere on elsewhere.id = arrived.id"
            is_known = "here.id is not null or elsewhere.id is not null"
            is_elsewhere = (
                "coalesce(elsewhere.read_time >= here.read_time, elsewhere.id is not null)"
            )
        verdicts = self._fetch(
            f"""
            select
                arrived.place,
                case
                    when not ({is_known}) then 'new'
                    when here.id is null or {is_elsewhere} or gone.id is not null then 'changed'
                    when arrived.has_moved then 'changed'
                    when here.payload::varchar is distinct from arrived.payload then 'changed'
                    else 'unchanged'
                end
            from arrived
            left join {_raw(table)} as here on here.id = arrived.id
            left join ops.tombstones as gone
                on gone.entity = {quote_literal(self._public.get(table, table))}
                and gone.id = arrived.id::varchar
            {join}
            -- should an id be there twice, a check tells; it must not stop the load
            qualify row_number() over (partition by arrived.place) = 1
            order by 1
            """,
            rows.select(["id", "payload"])
            .append_column("place", pa.array(range(rows.num_rows), pa.int64()))
            .append_column(
                "has_moved",
                pa.array([id_ in moved for id_ in rows.column("id").to_pylist()], pa.bool_()),
            ),
        )
        kinds = [kind for _, kind in verdicts]
        keep = pa.array([kind != "unchanged" for kind in kinds], pa.bool_())
        return Comparison(
            rows.filter(keep),
            kinds.count("new"),
            kinds.count("changed"),
            kinds.count("unchanged"),
        )

    def compare_listing(self, table: str, rows: pa.Table) -> Comparison:
        """All of `rows` when this listing differs from the newest one in `raw.table`, else none.

        The rows of the newest listing share the newest `_dlt_load_id`. A change of place or of
        the payload counts, and so does a record that is gone.
        """
        if not self._exists(table):
            return Comparison(rows, rows.num_rows, 0, 0)
        ((new, changed, unchanged, gone),) = self._fetch(
            f"""
            with newest as (
                select * from {_raw(table)}
                where _dlt_load_id = (select max(_dlt_load_id) from {_raw(table)})
            )
            select
                count(*) filter (here.id is null),
                count(*) filter (
                    here.id is not null and (
                        here.payload::varchar is distinct from arrived.payload
                        or here.position is distinct from arrived.position
                    )
                ),
                count(*) filter (
                    here.payload::varchar = arrived.payload and here.position = arrived.position
                ),
                (select count(*) from newest) - count(here.id)
            from arrived
            left join newest as here on here.id = arrived.id
            """,
            rows.select(["id", "payload", "position"]),
        )
        is_same = not (new or changed or gone)
        return Comparison(rows.slice(0, 0) if is_same else rows, new, changed, unchanged)

    def _exists(self, table: str) -> bool:
        found = (
            self._cursor()
            .execute(
                "select 1 from information_schema.tables "
                "where table_schema = 'raw' and table_name = ?",
                [table],
            )
            .fetchone()
        )
        return found is not None

    def _fetch(self, sql: str, arrived: pa.Table) -> list[tuple[Any, ...]]:
        with self._cursor() as cursor:
            cursor.register("arrived", arrived)
            return cursor.execute(sql).fetchall()

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        return another(self._connection)


def drop_repeats(
    connection: duckdb.DuckDBPyConnection, tables: Mapping[str, Sequence[str]]
) -> bool:
    """Of rows with one id in a raw table, as only an edit by hand makes them, keep the newest.

    Returns whether there were any: what was built from them has to be built anew.
    """
    has_repeats = False
    for table in (raw for raws in tables.values() for raw in raws):
        if not connection.execute(
            "select 1 from duckdb_tables() where schema_name = 'raw' and table_name = ?", [table]
        ).fetchall():
            continue
        dropped = connection.execute(
            f"""
            delete from {_raw(table)}
            where rowid in (
                select rowid
                from {_raw(table)}
                qualify row_number() over (partition by id order by read_time desc, rowid) > 1
            )
            """
        ).fetchone()
        has_repeats = has_repeats or bool(dropped and dropped[0])
    return has_repeats


def _raw(table: str) -> str:
    return f"raw.{quote_identifier(table)}"
