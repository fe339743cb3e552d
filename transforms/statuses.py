"""What a transform changes in the lives of records: how many leads were archived, deals won."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

_STATUS = {
    "leads": "status",
    "persons": "case when is_deleted then 'deleted' else 'here' end",
    "organizations": "case when is_deleted then 'deleted' else 'here' end",
    "deals": "status",
}


@dataclass(frozen=True)
class StatusChange:
    """So many records of a table went from one status to another."""

    table: str
    before: str
    after: str
    rows: int

    @property
    def text(self) -> str:
        """`3 leads archived`, `1 person restored`."""
        noun = self.table if self.rows != 1 else self.table.removesuffix("s")
        verb = self.after
        if self.before == "deleted":
            verb = "restored"
        elif self.after == "open":
            verb = "unarchived" if self.before == "archived" else "reopened"
        return f"{self.rows:,} {noun} {verb}"


class Statuses:
    """The statuses of all records as they are now, to be compared with what they become."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        built = connection.execute(
            "select distinct table_name from information_schema.tables where table_schema = 'crm'"
        ).fetchall()
        known = [table for table in _STATUS if (table,) in built]
        self._is_first = not known
        if known:
            connection.execute(f"create or replace temp table statuses as {_select(known)}")

    def changes(self) -> list[StatusChange]:
        """What has changed since, the most first. New records are no change."""
        if self._is_first:
            return []
        rows = self._connection.execute(
            f"""
            select statuses.name, statuses.status, now.status, count(*)
            from ({_select(list(_STATUS))}) as now
            join statuses on statuses.name = now.name and statuses.id = now.id
            where statuses.status <> now.status
            group by all
            order by count(*) desc, 1, 2, 3
            """
        ).fetchall()
        self._connection.execute("drop table statuses")
        return [StatusChange(*row) for row in rows]


def _select(tables: list[str]) -> str:
    return " union all ".join(
        f"select '{table}' as name, id::varchar as id, {_STATUS[table]} as status from crm.{table}"
        for table in tables
    )
