"""How a list is walked so that no row is lost or read for nothing, one function per method.

Each walk yields pages until the list ends. None stores a cursor across runs. What a row's
`update_time` promises: it is in UTC, several rows share one, it can be null, and a row edited
during a walk gets a newer one.

A walk that is broken off can be taken up again: as soon as the next page is asked for, the span's
`bookmark` says from where, and a walk that is given one begins there. It is empty where a list
has shown that it keeps no order; then only its beginning is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from .errors import BadAnswer
from .pages import Page, parse_time

Params = dict[str, str | int]


Fetch = Callable[[Params], Page]
Seen = dict[int | str, datetime | None]
_NEVER = object()
_MOST_IDLE = 20  # pages in a row without a new row: edits can cause some, a circle has no end


@dataclass(frozen=True)
class Span:
    """What to read: rows updated at or after `since` (None: all, also those without a time).

    `is_first`: nothing was read of the list before, or not all of it; `piece_rows`: how many rows
    may have to be read again after an interruption.
    """

    since: datetime | None
    page_size: int
    server_now: datetime
    is_first: bool = False
    piece_rows: int = 50_000
    bookmark: MutableMapping[str, Any] = field(default_factory=dict)

    @property
    def reached(self) -> datetime | None:
        """Up to which `update_time` an earlier walk came."""
        return parse_time(self.bookmark.get("reached"))

    def mark(self, reached: datetime | None, **places: int) -> None:
        """Set the bookmark. A record dated in the future must not hide what changes until then."""
        if reached is not None:
            reached = min(reached, self.server_now)
            self.bookmark.update(reached=reached.isoformat(), **places)


def update_time_ascending(fetch: Fetch, span: Span) -> Iterator[Page]:
    """v2 lists, oldest change first, by cursor. A row edited meanwhile comes again later.

    One that is taken up again is filtered, and ends with a look at rows without a time, in case
    they are sorted last.
    """
    order: Params = {"sort_by": "update_time", "sort_direction": "asc", "limit": span.page_size}
    begun, newest = span.reached, span.reached
    since = begun or span.since
    is_sorted = True
    for page in cursor_pages(fetch, order | filtered("updated_since", since)):
        yield page
        times = [record.update_time for record in page.records if record.update_time is not None]
        is_sorted = is_sorted and _is_sorted(page) and not (newest and times and times[0] < newest)
        newest = times[-1] if times else newest
        if is_sorted:
            span.mark(newest)
        else:
            span.bookmark.clear()
            newest = None
    if begun is not None and span.since is None:
        descending = order | {"sort_direction": "desc"}
        yield from _leading_without_time(cursor_pages(fetch, descending), {})


def keyset(fetch: Fetch, span: Span) -> Iterator[Page]:
    """Leads: an offset list sorted by `update_time`, walked without trusting the offset.

    Rows that vanish from an offset list shift the rest, and rows are skipped. So after each page
    the filter moves to the second of its last row and the offset back to 0; only inside one
    second (or among rows without a time) does the offset grow, and then by one row less than was
    read, so that a shift is noticed. Rows read twice that way are dropped here. A filtered list
    has no rows without a time, so a walk that began unfiltered ends with a look at where they
    would be if they are sorted last. v1 ignores parameters it does not know: where rows show that
    filter or order is ignored, only the offset is left.
    """
    since, start = span.reached or span.since, 0
    is_trusted = True
    seen: Seen = {}
    guard = _Advance()
    while True:
        params: Params = {"sort": "update_time ASC", "start": start, "limit": span.page_size}
        page = fetch(params | filtered("updated_since", since))
        if start and page.records and page.records[0].id not in seen:
            start = max(0, start - span.page_size)  # rows moved up: go back until we meet them
            continue
        fresh = _unseen(page, seen)
        if fresh:
            yield fresh
        if not page.records or not _has_more(page, span):
            break
        guard.check(fresh)
        floor, last = _second(since), _second(page.records[-1].update_time)
        is_trusted = is_trusted and not _has_older(page, floor) and _is_sorted(page)
        read = {record.id: record.update_time for record in page.records}
        if is_trusted:
            span.mark(page.records[-1].update_time)
        else:
            span.bookmark.clear()
        if is_trusted and last is not None and last != floor:
            since, start, seen = last, 0, read
        else:
            start += max(1, len(page.records) - 1)
            seen |= read
    if is_trusted and span.since is None and since is not None:
        yield from _rows_without_time(fetch, span, seen)


def _rows_without_time(fetch: Fetch, span: Span, seen: Seen) -> Iterator[Page]:
    """Rows without `update_time` that an ascending list sorts last: they lead a descending one."""
    return _leading_without_time(newest_first(fetch, replace(span, since=None, bookmark={})), seen)


def _leading_without_time(pages: Iterator[Page], seen: Seen) -> Iterator[Page]:
    for page in pages:
        timeless = tuple(r for r in page.records if r.update_time is None)
        if fresh := _unseen(replace(page, records=timeless), seen):
            yield fresh
        if len(timeless) < len(page.records):
            return


def newest_first(fetch: Fetch, span: Span) -> Iterator[Page]:
    """Archived leads: no time filter exists, so read newest first, down to `since`.

    A row edited or archived meanwhile pushes the others down: it costs a repeated row, which is
    dropped, never a lost one. A row that leaves (unarchived, deleted) pulls the others up, so
    each page starts with the last row of the one before, and goes back where it does not. Where
    rows show that the order is ignored, the list is read to its end.

    Taken up again, it goes on at the same offset, if need be back to a row that was read. What
    is newer than the bookmark's `top` is for the next walk.
    """
    bookmark, reached = span.bookmark, span.reached
    start = max(0, int(bookmark.get("rows", 1)) - 1) if reached else 0
    is_trusted = True
    seen: Seen = {}
    top: datetime | None = None
    guard = _Advance()
    while True:
        page = fetch(_newest_first(span, start))
        if start and not _is_met(page, seen, reached):
            start = max(0, start - span.page_size)  # rows moved up: go back until we meet them
            continue
        if not seen and reached is None:
            top = _newest(page)
        reached = None
        fresh = _unseen(page, seen)
        seen |= {record.id: record.update_time for record in page.records}
        if fresh:
            yield fresh
        is_trusted = is_trusted and _is_sorted(page, descending=True)
        is_reached = is_trusted and _has_older(page, span.since)
        if is_reached or not page.records or not _has_more(page, span):
            break
        guard.check(fresh)
        if is_trusted:
            _mark_offset(bookmark, page, start)
        else:
            bookmark.clear()
        start += max(1, len(page.records) - 1)
    if is_trusted and start and top:
        yield from _moved_up(fetch, span, top, seen)


def _moved_up(fetch: Fetch, span: Span, top: datetime, seen: Seen) -> Iterator[Page]:
    """Rows that were edited before their page was read: they are above the first page now."""
    start, newest = 0, top
    for _ in range(_MOST_IDLE):
        page = fetch(_newest_first(span, start))
        if not start:
            newest = _newest(page) or top
        fresh = _unseen(page, seen)
        seen |= {record.id: record.update_time for record in page.records}
        if fresh:
            yield fresh
        if not page.records or _has_older(page, top) or not _has_more(page, span):
            if not start:
                return
            start, top = 0, newest  # of more than one page: what has moved up from the second?
        else:
            start += max(1, len(page.records) - 1)


def _newest(page: Page) -> datetime | None:
    return max((r.update_time for r in page.records if r.update_time), default=None)


def _newest_first(span: Span, start: int) -> Params:
    return {"sort": "update_time DESC", "start": start, "limit": span.page_size}


def _mark_offset(bookmark: MutableMapping[str, Any], page: Page, start: int) -> None:
    """Go on at the last row that is newer than the last one: it shows whether rows moved."""
    times = [record.update_time for record in page.records if record.update_time is not None]
    newer = sum(1 for time in times if time > times[-1])
    if newer:
        bookmark.setdefault("top", times[0].isoformat())
        bookmark.update(
            reached=times[-1].isoformat(), rows=start + len(page.records) - len(times) + newer
        )


def _is_met(page: Page, seen: Seen, reached: datetime | None) -> bool:
    """Whether a page begins with rows that were read, in this walk or in the one before it.

    Of that one only the time is known that it came down to.
    """
    first = page.records[0] if page.records else None
    if reached is None:
        return first is None or first.id in seen
    return first is not None and first.update_time is not None and first.update_time > reached


def listing(fetch: Fetch, span: Span) -> Iterator[Page]:
    """A small list, whole: by cursor, by offset, or in one answer, as the first page tells.

    v2 has cursors alone and refuses `start`: a page without a cursor is the last, full or not.
    """
    params: Params = {"limit": span.page_size}
    seen: Seen = {}
    guard = _Advance()
    page = fetch(params)
    yield page
    while page.next_cursor or (page.api != "v2" and page.records and _has_more(page, span)):
        guard.check(_unseen(page, seen))
        seen |= {record.id: record.update_time for record in page.records}
        if page.next_cursor:
            page = fetch(params | {"cursor": page.next_cursor})
        else:
            after = int(params.get("start", 0)) + len(page.records)
            params["start"] = max(page.next_start or 0, after)
            page = fetch(params)
        yield page


def single(fetch: Fetch, span: Span) -> Iterator[Page]:  # noqa: ARG001 - the shape of a walk
    """A list that comes in one answer (users, labels, sources, currencies)."""
    yield fetch({})


def cursor_pages(fetch: Fetch, params: Params) -> Iterator[Page]:
    """A list by cursor to its end. Raises BadAnswer where it goes in a circle."""
    page = fetch(params)
    yield page
    while page.next_cursor:
        cursor = page.next_cursor
        page = fetch(params | {"cursor": cursor})
        if page.next_cursor == cursor:
            raise BadAnswer("Pipedrive's paging goes in a circle: a page names itself as the next.")
        yield page


class _Advance:
    """Stops a walk that goes in a circle: every page costs tokens."""

    def __init__(self) -> None:
        self._idle = 0

    def check(self, fresh: Page | None) -> None:
        """Raises BadAnswer when page after page brings nothing new."""
        self._idle = 0 if fresh else self._idle + 1
        if self._idle > _MOST_IDLE:
            raise BadAnswer(
                "Pipedrive's paging goes in a circle: page after page brings no new row."
            )


def _has_more(page: Page, span: Span) -> bool:
    """What an offset list says; where it says nothing, a full page is taken not to be the last."""
    return len(page.records) >= span.page_size if page.has_more is None else page.has_more


def _is_sorted(page: Page, *, descending: bool = False) -> bool:
    times = [record.update_time for record in page.records if record.update_time is not None]
    return times == sorted(times, reverse=descending)


def _has_older(page: Page, floor: datetime | None) -> bool:
    return floor is not None and any(
        record.update_time is not None and record.update_time < floor for record in page.records
    )


def _unseen(page: Page, seen: Seen) -> Page | None:
    """The page without the rows that were read before and have not changed since, if any."""
    fresh = tuple(r for r in page.records if seen.get(r.id, _NEVER) != r.update_time)
    return replace(page, records=fresh) if fresh else None


def filtered(name: str, since: datetime | None) -> Params:
    """The parameter that leaves out what is older than `since`, if anything is left out."""
    return {} if since is None else {name: whole_second(since)}


def whole_second(moment: datetime) -> str:
    """`moment` as the API takes it: whole seconds, `T`, `Z` (fractions are refused by v2)."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _second(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(microsecond=0)
