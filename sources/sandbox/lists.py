"""Lists of records: their JSON, written once, and the orders they are asked in."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

import orjson

from sources.sandbox.account import Account
from sources.sandbox.records import Entity, Entry
from sources.sandbox.shapes import CustomForms

Write = Callable[[Any, CustomForms], dict[str, object]]
_KEPT_SELECTIONS = 64


@dataclass(frozen=True, slots=True)
class Sort:
    """An attribute to sort by. Ties are in creation order, whatever the direction."""

    field: str
    is_descending: bool = False


class RecordList:
    """The visible records of an entity in one form of the API.

    Rows are written when they are first asked for and kept until the record or the entity's
    definitions change; orders until anything in the account changes. The caller holds the
    account's lock.
    """

    def __init__(
        self,
        account: Account,
        entity: Entity,
        write: Write,
        where: Callable[[Any], bool] = lambda _: True,
    ) -> None:
        self.account = account
        self.entity = entity
        self._owner: Entity = "deal" if entity == "lead" else entity
        self._write = write
        self._where = where
        self._rows: dict[Any, tuple[int, bytes]] = {}
        self._selections: dict[tuple[object, ...], list[Any]] = {}
        self._revision = self._fields_revision = -1
        self._null = float("-inf") if account.options.nulls == "first" else float("inf")
        self._forms = CustomForms(())

    def rows(self, records: Sequence[Entry]) -> list[bytes]:
        """Give the JSON of each record."""
        revision = self.account.fields_revision.get(self._owner, 0)
        if revision != self._fields_revision:
            self._forms = CustomForms(
                self.account.custom_fields(self.entity), v2_unset=self.account.options.v2_unset
            )
            self._rows.clear()
            self._fields_revision = revision
        kept, rows = self._rows, []
        for record in records:
            row = kept.get(record.id)
            if row is None or row[0] != record.revision:
                json = orjson.dumps(self._write(record, self._forms))
                row = kept[record.id] = (record.revision, json)
            rows.append(row[1])
        return rows

    def select(
        self,
        sorts: Sequence[Sort] = (Sort("id"),),
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        with_deleted: bool = False,
    ) -> list[Any]:
        """Give the records with `since <= update_time < until`, sorted.

        `with_deleted` adds those that were deleted, however long ago. With a bound, records
        without `update_time` are left out. Missing values are the smallest or the greatest, as
        the option `nulls` says. The list must not be changed.
        """
        if self._revision != self.account.revision:
            self._selections.clear()
            self._revision = self.account.revision
        sorts = tuple(sorts)
        if since is None and until is None:
            return self._kept((sorts, with_deleted), lambda: self._sorted(sorts, with_deleted))
        low = since.timestamp() if since else -1e18
        high = until.timestamp() if until else 1e18
        whole = self.select(sorts, with_deleted=with_deleted)
        if sorts == (Sort("update_time"),):
            first = bisect_left(whole, low, key=self._update_number)
            return whole[first : bisect_left(whole, high, key=self._update_number)]
        return self._kept(
            (sorts, with_deleted, low, high),
            lambda: [record for record in whole if low <= self._update_number(record) < high],
        )

    def after(self, records: list[Any], sort: Sort, value: float | None, record_id: int) -> int:
        """Give the position of the first record beyond a place in the order of one sort."""
        sign = -1 if sort.is_descending else 1

        def place(record: Any) -> tuple[float, int]:
            return (sign * self._number(getattr(record, sort.field)), record.id)

        target = self._null if value is None else value
        return bisect_right(records, (sign * target, record_id), key=place)

    def _update_number(self, record: Entry) -> float:
        return self._number(record.update_time)

    def _number(self, value: Any) -> float:
        if value is None:
            return self._null
        return value.timestamp() if isinstance(value, datetime) else float(value)

    def _kept(self, key: tuple[object, ...], make: Callable[[], list[Any]]) -> list[Any]:
        if key not in self._selections:
            if len(self._selections) >= _KEPT_SELECTIONS:
                self._selections.pop(next(iter(self._selections)))
            self._selections[key] = make()
        return self._selections[key]

    def _sorted(self, sorts: Sequence[Sort], with_deleted: bool) -> list[Any]:
        null_rank = 0 if self.account.options.nulls == "first" else 2
        account = self.account
        listed = account.in_sight if with_deleted else account.visible
        records = [record for record in listed(self.entity) if self._where(record)]
        for sort in reversed(sorts):
            value_of = attrgetter(sort.field)

            def rank(record: Any, value_of: Callable[[Any], Any] = value_of) -> tuple[Any, ...]:
                value = value_of(record)
                return (null_rank,) if value is None else (1, value)

            has_nulls = any(value_of(record) is None for record in records)
            records.sort(key=rank if has_nulls else value_of, reverse=sort.is_descending)
        return records
