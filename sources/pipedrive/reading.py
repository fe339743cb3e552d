"""Reading one entity: what to ask for, what of it is new, and where the next run begins.

A reading is cut into packages. Each is loaded and committed before the next one is read, and holds
an id at most once, because a merge of two rows with one id would insert both.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

import pyarrow as pa

from .client import Client
from .dialects import DialectChoice
from .endpoints import Api, Endpoint, Method, Route
from .errors import BadAnswer, NotServed, SourceError
from .pages import Page, Record, parse_time, without_repeats
from .progress import Mode, Progress
from .stored import NothingStored, Stored
from .walks import (
    Fetch,
    Params,
    Span,
    keyset,
    listing,
    newest_first,
    single,
    update_time_ascending,
)
from .windows import window

WALKS: dict[Method, Callable[[Fetch, Span], Iterator[Page]]] = {
    "update_time ascending": update_time_ascending,
    "window": window,
    "keyset": keyset,
    "newest first": newest_first,
    "listing": listing,
}
_ASCENDING: tuple[Method, ...] = ("update_time ascending", "keyset")
_MOST_IDS = 100  # that one request may ask for


@dataclass(frozen=True)
class ReadingSettings:
    """How entities are read; see `config.toml` for what each key means."""

    page_size: int = 500
    package_rows: int = 50_000
    overlap: timedelta = timedelta(minutes=10)
    full_listing_pages: int = 2
    start_date: datetime | None = None


@dataclass
class Reading:
    """One entity on its way through a run. `package` is called until `is_finished`.

    `position` is where it begins and, after each package, where the next run would: its
    `watermark` and, until the first read has come to its end, `first`, where that is to go on.
    `is_full` asks for the whole list, whatever the watermark says. `listed` are the ids that came,
    an array a page.
    """

    endpoint: Endpoint
    client: Client
    dialects: DialectChoice
    settings: ReadingSettings
    server_now: datetime
    stored: Stored = field(default_factory=NothingStored)
    on_page: Callable[[Progress], None] | None = None
    position: MutableMapping[str, Any] = field(default_factory=dict)
    is_full: bool = False
    is_finished: bool = False
    listed: list[pa.Array] = field(default_factory=list)
    doubt: str | None = None  # why the list may not be whole although it came to an end
    is_pieced: bool = False  # an earlier run has read a part, or windows leave something out

    def __post_init__(self) -> None:
        self.progress = Progress(self.endpoint.entity)
        self._has_announced_more = False
        self._pages: Iterator[Page] | None = None
        self._waiting: Page | None = None  # read, but part of the next package
        self._newest: datetime | None = None
        self._route: Route | None = None
        self._bookmark: dict[str, Any] = {}
        self._rows_before = 0  # that an earlier run has read
        # Appending is faster than merging and as good while the table is empty and no id repeats.
        self.is_append = self.stored.count(self.endpoint.entity) == 0
        self._seen: set[int | str] = set()

    @property
    def is_whole_list(self) -> bool:
        """Whether `listed` is every id of the list: read to its end without a filter."""
        is_read = self.is_finished and not (self.progress.error or self.progress.note)
        return is_read and self.progress.mode in ("first", "full") and not self.is_pieced

    @property
    def planned_mode(self) -> Mode:
        """How the list is read: for the first time, whole again, or what changed since."""
        if self.endpoint.kind != "entity":
            return "listing"
        if parse_time(self.position.get("watermark")) is None:
            return "first"
        known = self.stored.count(self.endpoint.entity)
        # A small list costs what the incremental read costs, and shows what moves no update_time.
        small = self.settings.full_listing_pages * self.settings.page_size
        is_small = known is not None and known <= small
        return "full" if self.is_full or is_small else "incremental"

    def again(self) -> Reading:
        """Another reading of the same list, from its beginning and whole."""
        return Reading(
            self.endpoint,
            self.client,
            self.dialects,
            self.settings,
            self.server_now,
            self.stored,
            position=self.position,
            is_full=True,
        )

    def package(self) -> Iterator[pa.Table]:
        """The next package as one Arrow table a page; nothing at all where nothing differs.

        `position` is read at the start of a walk and set at the end of a package, to be committed
        with the rows it speaks of. An error of the source ends the reading, keeps what was read
        before, and is left in `progress.error`; that an optional list is not served is no error,
        and left in `progress.note`.
        """
        try:
            if self.endpoint.kind == "entity":
                yield from self._entity_package()
            else:
                yield from self._whole_listing()
        except SourceError as error:
            if isinstance(error, NotServed) and self._can_be_left_out():
                self.progress.note = f"{self.endpoint.entity} are left out: {error.message}"
            else:
                self.progress.error = error
                self._keep_place()
            self.is_finished = True

    def _can_be_left_out(self) -> bool:
        """Whether nobody misses the list: it is optional, and no row of it was ever read."""
        is_new = not self.stored.count(self.endpoint.entity) and not self.progress.rows_listed
        return self.endpoint.is_optional and is_new

    def _entity_package(self) -> Iterator[pa.Table]:
        if self._pages is None:
            self._pages = self._begin()
        if not self.is_append:
            self._seen = set()
        rows = 0
        for page in self._remaining_pages():
            ids = {record.id for record in page.records}
            if rows >= self.settings.package_rows or not self._seen.isdisjoint(ids):
                self.is_append = self.is_append and self._seen.isdisjoint(ids)
                self._waiting = page
                self._keep_place()
                return
            self._seen |= ids
            fresh = self._note(page)
            if fresh.num_rows:
                rows += fresh.num_rows
                yield fresh
        self.is_finished = True
        self._set_watermark()

    def _begin(self) -> Iterator[Page]:
        """Decide between everything and what changed since the watermark, and start the walk."""
        settings = self.settings
        self.progress.watermark = parse_time(self.position.get("watermark"))
        self.progress.mode = self.planned_mode
        since = settings.start_date
        if self.progress.mode == "incremental" and self.progress.watermark is not None:
            since = self.progress.watermark - settings.overlap
        is_first = self.progress.mode == "first"
        if is_first:
            self._take_up()
        elif self.progress.mode == "full":
            self.progress.rows_expected = self.stored.count(self.endpoint.entity)
        span = Span(
            since,
            settings.page_size,
            self.server_now,
            is_first=is_first,
            piece_rows=settings.package_rows,
            bookmark=self._bookmark,
        )
        self._route, pages = self.dialects.open(
            self.endpoint, lambda route: WALKS[route.method](self._fetch(route), span)
        )
        return pages

    def _take_up(self) -> None:
        """Go on where a first read was broken off, if it was: the rows before are loaded."""
        known = self.position.get("first", {})
        self.is_pieced = bool(known)
        self._bookmark.update(known.get("bookmark", {}))
        self._newest = parse_time(known.get("newest"))
        self._rows_before = int(known.get("rows", 0))

    def _keep_place(self) -> None:
        """Where the next run goes on, should this one not come any further."""
        if self.progress.mode == "first" and self._bookmark:
            self.position["first"] = {
                "bookmark": dict(self._bookmark),
                "newest": self._newest and self._newest.isoformat(),
                "rows": self._rows_before + sum(map(len, self.listed)),
            }
        elif self.progress.mode == "first":
            self.position.pop("first", None)
        elif self.progress.mode == "incremental" and self._is_ascending():
            self._move_watermark(parse_time(self._bookmark.get("reached")))

    def _is_ascending(self) -> bool:
        return self._route is not None and self._route.method in _ASCENDING

    def _remaining_pages(self) -> Iterator[Page]:
        if self._waiting is not None:
            page, self._waiting = self._waiting, None
            yield page
        yield from self._pages or ()

    def _fetch(self, route: Route) -> Callable[[Params], Page]:
        def fetch(params: Params) -> Page:
            if route.include_fields:
                params = params | {"include_fields": route.include_fields}
            page = self._ask(route, params)
            if self._looks_cut(page, route):
                page = self._ask(route, params)
            if self._looks_cut(page, route):
                self._doubt(page)
            self._has_announced_more = bool(page.next_cursor or page.has_more)
            self.progress.rows_listed += len(page.records)
            if self.on_page:
                self.on_page(self.progress)
            return page

        return fetch

    def _ask(self, route: Route, params: Params) -> Page:
        begun = time.monotonic()
        try:
            return self.client.page(self.endpoint, route, params, self.progress.meter)
        finally:
            self.progress.seconds += time.monotonic() - begun

    def look_up(self, ids: Sequence[str]) -> Iterator[str]:
        """Those of `ids` that the list has now, where it can be asked for single ones (v2 only)."""
        route = self._route
        if route is None or route.api != "v2":
            return
        for start in range(0, len(ids), _MOST_IDS):
            wanted = ",".join(ids[start : start + _MOST_IDS])
            page = self._ask(route, {"ids": wanted, "limit": _MOST_IDS})
            yield from (str(record.id) for record in page.records)

    def _looks_cut(self, page: Page, route: Route) -> bool:
        """Whether a page may not be what it seems: a list must not end early without a word.

        Some answers lack `additional_data`, and `data` can be null (API facts 3 and 4.8).
        """
        if not page.records:
            is_first = self.progress.mode != "incremental" and not self.progress.rows_listed
            has_more = self._has_announced_more or page.next_cursor or page.has_more
            return bool(has_more or (is_first and not page.is_paged and route.pager != "none"))
        is_full_page = len(page.records) >= self.settings.page_size
        return route.pager == "cursor" and is_full_page and not page.is_paged

    def _doubt(self, page: Page) -> None:
        """After a second look: no rows where more were announced can be true, silence cannot."""
        if not page.records and not self.progress.rows_listed:
            self.doubt = "an empty page did not say that it was the last"
        elif not page.is_paged:
            raise BadAnswer(
                f"A page of {self.endpoint.entity} does not say whether it is the last.",
                "What came before is kept, and the next run reads the list again.",
            )
        else:
            self.doubt = "a page was empty after the one before had announced more"

    def _note(self, page: Page) -> pa.Table:
        """The rows of a page that differ from what is stored."""
        start = self.settings.start_date
        records = tuple(
            record
            for record in without_repeats(page.records)
            if not (start and record.update_time and record.update_time < start)
        )
        times = [r.update_time for r in records if r.update_time is not None]
        self._newest = max([*times, self._newest] if self._newest else times, default=None)
        table = to_arrow(records, page.api, page.asked, self.endpoint.id_type)
        self.listed.append(table.column("id").combine_chunks())
        if self.is_append:
            self.progress.rows_new += table.num_rows
            return table
        found = self.stored.compare(self.endpoint.entity, table)
        self.progress.rows_new += found.new
        self.progress.rows_changed += found.changed
        self.progress.rows_unchanged += found.unchanged
        return found.rows

    def _set_watermark(self) -> None:
        """Where the next run begins, moved only together with rows: a quiet run commits nothing."""
        # Taken up again, newest first: what came on top meanwhile was not read.
        self._move_watermark(parse_time(self._bookmark.get("top")) or self._newest)
        self.position.pop("first", None)
        self.is_pieced = self.is_pieced or "done" in self._bookmark

    def _move_watermark(self, reached: datetime | None) -> None:
        if reached:
            # A record dated in the future must not hide the present. And where a list promises no
            # order, what changed while we walked may have been passed already.
            reached = min(reached, self.server_now.replace(microsecond=0))
        known = self.progress.watermark
        if reached and (known is None or reached > known):
            self.position["watermark"] = reached.isoformat()
            self.progress.watermark = reached

    def _whole_listing(self) -> Iterator[pa.Table]:
        """A definition or reference list: loaded whole when anything in it changed, else not."""
        self.progress.mode = "listing"
        span = Span(None, self.settings.page_size, self.server_now)

        def walk(route: Route) -> Iterator[Page]:
            method = single if route.pager == "none" else WALKS[route.method]
            return method(self._fetch(route), span)

        route, pages = self.dialects.open(self.endpoint, walk)
        listed = list(pages)
        records = without_repeats(record for page in listed for record in page.records)
        asked = listed[0].asked if listed else self.server_now
        table = to_arrow(records, route.api, asked, self.endpoint.id_type)
        table = table.append_column("position", pa.array(range(len(records)), pa.int64()))
        found = self.stored.compare_listing(self.endpoint.entity, table)
        self.progress.rows_new, self.progress.rows_changed = found.new, found.changed
        self.progress.rows_unchanged = found.unchanged
        self.is_finished = True
        if found.rows.num_rows:
            yield found.rows


def to_arrow(
    records: tuple[Record, ...], api: Api, asked: datetime, id_type: Literal["bigint", "text"]
) -> pa.Table:
    """Records as rows of `raw`: id, update_time, payload (the bytes as text), api, read_time."""
    count = len(records)
    time_type = pa.timestamp("us", "UTC")
    return pa.table(
        {
            "id": pa.array(
                [r.id for r in records], pa.int64() if id_type == "bigint" else pa.string()
            ),
            "update_time": pa.array([r.update_time for r in records], time_type),
            "payload": pa.array([r.payload for r in records], pa.binary()).cast(pa.string()),
            "api": pa.array([api] * count, pa.string()),
            "read_time": pa.array([asked] * count, time_type),
        }
    )
