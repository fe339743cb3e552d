"""Walks over a list that changes between two pages: what is there throughout is never lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.pipedrive.errors import BadAnswer
from sources.pipedrive.pages import Page, Record
from sources.pipedrive.walks import Params, Span, keyset, listing, newest_first

START = datetime(2026, 6, 1, tzinfo=UTC)


@dataclass
class OffsetList:
    """An offset list like `/v1/leads`: filtered, sorted, cut; `edits` happen after each page."""

    times: dict[int, datetime | None]
    edits: Iterator[Callable[[OffsetList], None]]
    nulls_last: bool = False
    ignores_filter: bool = False
    ignores_order: bool = False
    requests: int = 0
    clock: datetime = START + timedelta(days=1)
    touched: set[int] = field(default_factory=set)

    def fetch(self, params: Params) -> Page:
        self.requests += 1
        assert self.requests < 2000, "the walk does not end"
        since = None if self.ignores_filter else params.get("updated_since")
        rows = [
            (i, t)
            for i, t in self.times.items()
            if since is None or (t is not None and t >= datetime.fromisoformat(str(since)))
        ]
        is_descending = str(params["sort"]).endswith("DESC")

        rows.sort(key=lambda row: row[0])
        rows.sort(key=lambda row: row[1] or START, reverse=is_descending)
        nulls_go_last = self.nulls_last != is_descending
        rows.sort(key=lambda row: (row[1] is None) == nulls_go_last)
        if self.ignores_order:
            rows.sort(key=lambda row: row[0] * 7919 % 101)
        start, limit = int(params["start"]), int(params["limit"])
        cut = rows[start : start + limit]
        page = Page(
            tuple(Record(i, t, b"{}") for i, t in cut),
            next_cursor=None,
            next_start=start + limit if len(rows) > start + limit else None,
            has_more=len(rows) > start + limit,
            is_paged=True,
            asked=self.clock,
            server_time=self.clock,
            api="v1",
        )
        next(self.edits, lambda _: None)(self)
        return page

    def edit(self, row: int) -> None:
        if row in self.times:
            self.clock += timedelta(milliseconds=700)
            self.times[row] = self.clock
            self.touched.add(row)

    def remove(self, row: int) -> None:
        self.times.pop(row, None)
        self.touched.add(row)


def seconds(draw_from: int) -> st.SearchStrategy[list[int | None]]:
    """Seconds of `update_time`, few different ones so that there are ties; None: no time."""
    return st.lists(st.one_of(st.none(), st.integers(0, draw_from)), max_size=40)


changes = st.lists(st.tuples(st.sampled_from(["edit", "remove"]), st.integers(0, 39)), max_size=12)


def make(rows: list[int | None], events: list[tuple[str, int]], nulls_last: bool) -> OffsetList:
    times = {
        i: None if s is None else START + timedelta(seconds=s, milliseconds=i)
        for i, s in enumerate(rows)
    }

    def edits() -> Iterator[Callable[[OffsetList], None]]:
        for name, row in events:
            yield lambda found, name=name, row=row: getattr(found, name)(row)  # type: ignore[misc]

    return OffsetList(times, edits(), nulls_last)


def assert_next_run_reads(account: OffsetList, got: list[Record]) -> None:
    """What changed during the walk was read as it is now, or is newer than all that was read."""
    watermark = max((r.update_time for r in got if r.update_time), default=START)
    read = {record.id: record.update_time for record in got}
    for row in account.touched & account.times.keys():
        now = account.times[row]
        assert now is not None
        assert read.get(row) == now or now >= watermark


@given(seconds(6), st.lists(st.integers(0, 39), max_size=12), st.integers(2, 7), st.booleans())
def test_what_is_edited_while_a_list_is_read_newest_first_is_in_it(
    rows: list[int | None], edited: list[int], size: int, nulls_last: bool
) -> None:
    account = make(rows, [("edit", row) for row in edited], nulls_last)
    span = Span(None, size, START)
    got = {record.id for page in newest_first(account.fetch, span) for record in page.records}
    assert got == account.times.keys()


@given(seconds(6), changes, st.integers(2, 7), st.booleans())
def test_a_keyset_walk_loses_no_lead(
    rows: list[int | None], events: list[tuple[str, int]], size: int, nulls_last: bool
) -> None:
    account = make(rows, events, nulls_last)
    before = dict(account.times)
    got = [r for page in keyset(account.fetch, Span(None, size, START)) for r in page.records]
    assert before.keys() - account.touched <= {record.id for record in got}
    assert_next_run_reads(account, got)


@given(seconds(6), st.integers(2, 7), st.booleans())
def test_a_quiet_keyset_walk_reads_each_lead_once(
    rows: list[int | None], size: int, nulls_last: bool
) -> None:
    account = make(rows, [], nulls_last)
    got = [r.id for page in keyset(account.fetch, Span(None, size, START)) for r in page.records]
    assert sorted(set(got)) == sorted(account.times)
    timed = [i for i in got if account.times[int(i)] is not None]
    assert len(timed) == len(set(timed))


@given(seconds(6), st.integers(2, 7), st.sampled_from([None, 0, 3, 6]))
def test_a_keyset_walk_ends_and_loses_nothing_where_the_filter_is_ignored(
    rows: list[int | None], size: int, since: int | None
) -> None:
    account = make(rows, [], nulls_last=False)
    account.ignores_filter = True
    begin = None if since is None else START + timedelta(seconds=since)
    pages = keyset(account.fetch, Span(begin, size, START))
    assert {record.id for page in pages for record in page.records} == account.times.keys()


def test_walks_lose_nothing_where_the_order_is_ignored() -> None:
    rows: list[int | None] = [second * 37 % 211 for second in range(200)]
    size = 20  # of so many rows out of order, some page shows it
    for walk in (keyset, newest_first):
        account = make(rows, [], nulls_last=False)
        account.ignores_order = True
        pages = walk(account.fetch, Span(None, size, START))
        assert {record.id for page in pages for record in page.records} == account.times.keys()


def test_a_walk_that_goes_in_a_circle_is_stopped() -> None:
    rows = tuple(Record(i, START, b"{}") for i in range(3))
    page = Page(rows, None, 0, True, True, START, START, "v1")
    for walk in (keyset, newest_first, listing):
        with pytest.raises(BadAnswer, match="circle"):
            list(walk(lambda _: page, Span(None, 3, START)))


@given(seconds(20), changes, st.integers(2, 7))
def test_a_walk_newest_first_loses_no_archived_lead(
    rows: list[int | None], events: list[tuple[str, int]], size: int
) -> None:
    account = make(rows, events, nulls_last=False)
    before = dict(account.times)
    span = Span(None, size, START)
    got = [r for page in newest_first(account.fetch, span) for r in page.records]
    assert before.keys() - account.touched <= {record.id for record in got}
    assert_next_run_reads(account, got)


@given(st.lists(st.integers(0, 20), max_size=40), st.integers(2, 7), st.integers(0, 20))
def test_a_walk_newest_first_stops_at_the_watermark(rows: list[int], size: int, since: int) -> None:
    account = make([*rows], [], nulls_last=False)
    floor = START + timedelta(seconds=since)
    span = Span(floor, size, START)
    got = {r.id for page in newest_first(account.fetch, span) for r in page.records}
    newer = {i for i, t in account.times.items() if t is not None and t >= floor}
    assert newer <= got
    assert account.requests <= 2 + len(newer) // (size - 1)
