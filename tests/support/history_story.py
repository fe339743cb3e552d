"""An account whose records change by the hour, for the tests of histories."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from raw_account import Account

from transforms.custom_fields.definitions import Entity
from transforms.runner import Transformed, transform

LEAD = "0a1b2c3d-0000-4000-8000-000000000001"


def at(hour: int) -> datetime:
    """Hours after the beginning of the story."""
    return datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=hour)


def iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


class Story(Account):
    """An account whose clock is set by hand and whose versions are kept."""

    def __init__(self, *history: Entity, path: Path | str = ":memory:") -> None:
        super().__init__(path)
        self.connection.execute("set timezone = 'UTC'")
        self.history: Sequence[Entity] = history
        self.now = at(0)

    def deliver(self, table: str, record: dict[str, Any], api: str = "v2") -> None:
        """Merge a record that was read now into a raw table."""
        self.records(table, record, api=api)
        self.connection.execute(
            f"update raw.{table} set read_time = $now where id = $id",
            {"now": self.now, "id": record["id"]},
        )

    def lead(self, *, is_archived: bool = False, **changed: Any) -> None:
        record = {"id": LEAD, "title": "A", "add_time": iso(at(0)), "update_time": iso(at(0))}
        self.deliver("archived_leads" if is_archived else "leads", record | changed, "v1")

    def person(self, id_: int = 1, api: str = "v2", **changed: Any) -> None:
        record = {"id": id_, "name": "Ann", "add_time": iso(at(0)), "update_time": iso(at(0))}
        self.deliver("persons", record | changed, api)

    def gone(self, entity: str, id_: object, reason: str = "deleted", **more: Any) -> None:
        values = {"entity": entity, "id": str(id_), "reason": reason, "deleted_time": self.now}
        values |= more
        named = ", ".join(f"${name} as {name}" for name in values)
        self.connection.execute(f"insert into ops.tombstones by name select {named}", values)

    def back(self, id_: object) -> None:
        self.connection.execute("delete from ops.tombstones where id = $id", {"id": str(id_)})

    def run(self, hour: int, *, full: bool = False) -> Transformed:
        self.now = at(hour)
        return transform(
            self.connection, now=self.now, columns=self.columns, history=self.history, full=full
        )

    def versions(self, entity: str = "lead", columns: str = "title") -> list[tuple[Any, ...]]:
        """From, to (hours), changed columns, and `columns` of each version."""
        rows = self.rows(
            f"select valid_from, valid_to, is_current, changed_columns, {columns}"
            f" from crm.{entity}_history order by id, version"
        )
        shown = []
        for valid_from, valid_to, is_current, changed, *values in rows:
            assert is_current == (valid_to is None)
            hours = (hour_of(valid_from), None if valid_to is None else hour_of(valid_to))
            shown.append((*hours, changed, *values))
        return shown


def hour_of(moment: datetime) -> float:
    return (moment - at(0)) / timedelta(hours=1)
