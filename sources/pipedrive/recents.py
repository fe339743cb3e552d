"""What was deleted or merged since the last run: `GET /v1/recents`.

It lists every change of a record, the deleted ones too, which no list shows any more (API facts
4.10): a row with `active_flag` false, or with `data` null where the record is gone or out of sight.
`data` was also seen as a list. It looks back one month at most and says nothing of leads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from .client import Client, Meter
from .endpoints import RECENTS_COST
from .errors import BadAnswer
from .pages import Answer, Envelope, open_envelope, parse_time, read_pagination

LONGEST = timedelta(days=28)
"""An older `since_timestamp` is silently taken as a month ago (since 2024-12-01)."""

ITEMS = {"persons": "person", "organizations": "organization", "deals": "deal"}
_TABLES = {item: table for table, item in ITEMS.items()}
_MOST_PAGES = 2000


@dataclass(frozen=True)
class Gone:
    """A record that is deleted, or merged into another. Without `is_certain` only out of sight."""

    id: int
    deleted_time: datetime | None = None
    merged_into_id: int | None = None
    is_certain: bool = True


@dataclass(frozen=True)
class Recents:
    """The records that are gone, by table. `asked` is our clock's time of the first request.

    `has_gap`: the answer begins later than was asked for, so that something may be missing.
    """

    gone: dict[str, list[Gone]]
    asked: datetime
    has_gap: bool


class _Row(msgspec.Struct):
    item: Any = None
    id: Any = None
    data: Any = None


class _Envelope(Envelope, kw_only=True):
    data: list[_Row | None] | None = None


class _Additional(msgspec.Struct):
    since_timestamp: Any = None


@dataclass(frozen=True)
class _Page:
    rows: tuple[_Row, ...]
    has_more: bool | None
    since: datetime | None
    asked: datetime


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_ADDITIONAL = msgspec.json.Decoder(_Additional | None)


def read_recents(
    client: Client, tables: Iterable[str], since: datetime, page_size: int, meter: Meter
) -> Recents:
    """What is gone of `tables` (persons, organizations, deals) since `since`.

    Raises the errors of `errors`, among them Forbidden where the token lacks the scope and
    NotServed.
    """
    wanted = tuple(tables)
    latest: dict[tuple[str, int], dict[str, Any] | None] = {}
    asked: datetime | None = None
    has_gap = False
    for page in _pages(client, [ITEMS[table] for table in wanted], since, page_size, meter):
        asked = asked or page.asked
        has_gap = has_gap or bool(page.since and page.since > since + timedelta(minutes=1))
        for row in page.rows:
            if row.item in _TABLES and type(row.id) is int:
                latest[_TABLES[row.item], row.id] = _record(row)
    gone = {
        table: list(_gone({id_: data for (of, id_), data in latest.items() if of == table}, since))
        for table in wanted
    }
    return Recents(gone, asked or datetime.now(UTC), has_gap)


def _pages(
    client: Client, items: list[str], since: datetime, page_size: int, meter: Meter
) -> Iterator[_Page]:
    """Every page. A row that changes meanwhile moves to the end and pulls the others up, so each
    page begins with the last row of the one before, or is gone back for.
    """
    params: dict[str, str | int] = {
        "since_timestamp": f"{since.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
        "items": ",".join(items),
        "limit": page_size,
    }
    start = 0
    seen: set[tuple[Any, Any]] = set()
    for _ in range(_MOST_PAGES):
        page = client.ask(
            "v1", "recents", params | {"start": start}, RECENTS_COST, meter, _read_page
        )
        if start and page.rows and (page.rows[0].item, page.rows[0].id) not in seen:
            start = max(0, start - page_size)
            continue
        seen |= {(row.item, row.id) for row in page.rows}
        yield page
        has_more = len(page.rows) >= page_size if page.has_more is None else page.has_more
        if not page.rows or not has_more:
            return
        start += max(1, len(page.rows) - 1)
    raise BadAnswer("Pipedrive's list of recent changes has no end.")


def _read_page(answer: Answer) -> _Page:
    envelope = open_envelope(answer, _ENVELOPE)
    try:
        additional: _Additional | None = _ADDITIONAL.decode(envelope.additional_data)
    except msgspec.DecodeError as error:
        raise BadAnswer(f"Pipedrive's paging cannot be understood ({error}).") from error
    return _Page(
        tuple(row for row in envelope.data or () if row is not None),
        read_pagination(envelope).more_items_in_collection,
        parse_time(additional.since_timestamp) if additional else None,
        answer.asked,
    )


def _record(row: _Row) -> dict[str, Any] | None:
    """The record in a row; of a list, the one with the row's id."""
    candidates = row.data if isinstance(row.data, list) else [row.data]
    records = [data for data in candidates if isinstance(data, dict)]
    return next((data for data in records if data.get("id") == row.id), next(iter(records), None))


def _gone(records: dict[int, dict[str, Any] | None], since: datetime) -> Iterator[Gone]:
    """Those of one table that are gone, with the survivor where a row tells it.

    Where no `delete_time` is told, `update_time` is it, unless it lies before what was asked for.
    """
    survivors = dict(_merges(records))
    for id_, data in records.items():
        if data is None:
            yield Gone(id_, None, survivors.get(id_), is_certain=id_ in survivors)
        elif _is_deleted(data):
            time = _deleted_time(data)
            is_told = data.get("delete_time") or (time and time >= since)
            yield Gone(id_, time if is_told else None, survivors.get(id_))
    for merged, survivor in survivors.items():
        if merged not in records:
            time = parse_time((records[survivor] or {}).get("update_time"))
            yield Gone(merged, time, survivor, is_certain=False)  # may be long ago


def _merges(records: dict[int, dict[str, Any] | None]) -> Iterator[tuple[int, int]]:
    """Pairs of a record that was merged and the one it went into.

    `merge_what_id` is "the person with whom the main person was merged" (spec), which may stand on
    either of them: of two the one that is gone was merged, and of two that are gone the one that
    went first.
    """
    for id_, data in records.items():
        other = _id(data.get("merge_what_id")) if data else None
        if not data or other is None or other == id_:
            continue
        other_data = records.get(other)
        if not _is_deleted(data):
            if not other_data or _is_deleted(other_data):
                yield other, id_
        elif other_data and _is_deleted(other_data) and _went_first(other_data, data):
            yield other, id_
        else:
            yield id_, other


def _went_first(one: dict[str, Any], other: dict[str, Any]) -> bool:
    first, second = _deleted_time(one), _deleted_time(other)
    return first is not None and second is not None and first < second


def _deleted_time(data: dict[str, Any]) -> datetime | None:
    return parse_time(data.get("delete_time")) or parse_time(data.get("update_time"))


def _is_deleted(data: dict[str, Any]) -> bool:
    """Persons and organizations have `active_flag`, deals `active`, `deleted` and `status`."""
    if data.get("is_deleted") is True or data.get("deleted") is True:
        return True
    return data.get("active_flag") is False or data.get("status") == "deleted"


def _id(value: Any) -> int | None:
    """An id given plainly or in an object."""
    if isinstance(value, dict):
        value = value.get("value", value.get("id"))
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    return value if type(value) is int else None
