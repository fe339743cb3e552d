"""A working file with records and definitions written by hand, for the tests of transforms."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from transforms.raw import create_missing_sql
from transforms.runner import Transformed, transform

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
KEY = "0123456789abcdef0123456789abcdef01234567"


def key(number: int) -> str:
    return f"{number:02x}" * 20


class Account:
    """Writes to raw as dlt does, and transforms."""

    def __init__(self, path: Path | str = ":memory:") -> None:
        self.connection = duckdb.connect(str(path))
        self.connection.execute("set timezone = 'Europe/Berlin'")
        ops = Path(__file__).parents[2] / "warehouse" / "sql" / "ops.sql"
        self.connection.execute(ops.read_text(encoding="utf-8"))
        self.connection.execute(create_missing_sql())
        self.load_id = 1000
        self.columns: dict[str, dict[str, str]] = {}

    def records(
        self, table: str, *records: dict[str, Any], api: str = "v2", read_minute: int | None = None
    ) -> None:
        """Merge records of one load into a raw table."""
        self.load_id += 1
        minute = self.load_id - 1000 if read_minute is None else read_minute
        for record in records:
            self.connection.execute(f"delete from raw.{table} where id = $id", {"id": record["id"]})
            self.connection.execute(
                f"insert into raw.{table} by name select $id as id, $payload::json as payload,"
                " $api as api, make_timestamptz(2026, 1, 1, 0, $minute, 0) as read_time,"
                " $load as _dlt_load_id",
                {
                    "id": record["id"],
                    "payload": json.dumps(record),
                    "api": api,
                    "minute": minute,
                    "load": str(self.load_id),
                },
            )

    def listing(self, table: str, *records: dict[str, Any]) -> None:
        """Load a definition or reference listing whole, as one load."""
        self.load_id += 1
        for position, record in enumerate(records):
            id_ = record.get("key", record.get("field_code", record.get("id", record.get("name"))))
            self.connection.execute(f"delete from raw.{table} where id = $id", {"id": id_})
            self.connection.execute(
                f"insert into raw.{table} by name select $id as id, $payload::json as payload,"
                " $position as position, $load as _dlt_load_id",
                {
                    "id": id_,
                    "payload": json.dumps(record),
                    "position": position,
                    "load": str(self.load_id),
                },
            )

    def transform(self, *, full: bool = False) -> Transformed:
        return transform(self.connection, now=NOW, columns=self.columns, full=full)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query).fetchall()

    def one(self, query: str) -> Any:
        """The only value of the only row."""
        ((value,),) = self.rows(query)
        return value

    def columns_of(self, relation: str) -> list[str]:
        return [row[0] for row in self.rows(f"describe {relation}")]

    def rejected(self) -> list[tuple[Any, ...]]:
        return self.rows("select column_name, value, reason from ops.rejected_values order by all")


def v1_field(key: str, name: str, field_type: str = "varchar", **more: Any) -> dict[str, Any]:
    return {"key": key, "name": name, "field_type": field_type, "edit_flag": True, **more}


def v2_field(key: str, name: str, field_type: str = "varchar", **more: Any) -> dict[str, Any]:
    return {
        "field_code": key,
        "field_name": name,
        "field_type": field_type,
        "is_custom_field": True,
        **more,
    }
