"""The collection lists, which promise no order, walked in windows of time.

What can be taken up again after an interruption is a whole window, so a list of many rows is cut
into windows of about as many rows as may be lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from .pages import Page, parse_time
from .walks import Fetch, Params, Span, cursor_pages

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_FOUNDED = datetime(2010, 1, 1, tzinfo=UTC)  # Pipedrive: what is older is in one window
_FIRST = timedelta(days=30)
_LONGEST = timedelta(days=180)
_SHORTEST = timedelta(minutes=1)


def window(fetch: Fetch, span: Span) -> Iterator[Page]:
    """A collection list by cursor, of what changed since, or whole.

    What is filtered ends with the first whole second after the walk began: what changed before
    is in, and what changes meanwhile cannot make the walk endless; the next one starts before it.

    A list that is read for the first time is read as it comes, rows without a time among it, and
    by windows from the oldest on as soon as it has more rows than a piece. What windows lack,
    rows without a time, the next whole list brings.
    """
    limit: Params = {"limit": span.page_size}
    end = (span.server_now + timedelta(seconds=1)).astimezone(UTC)
    as_it_comes = limit if span.since is None else limit | _between(span.since, end)
    if not span.is_first:
        yield from cursor_pages(fetch, as_it_comes)
        return
    done = parse_time(span.bookmark.get("done"))
    if done is None:
        rows = 0
        for page in cursor_pages(fetch, as_it_comes):
            yield page
            rows += len(page.records)
            if rows >= span.piece_rows and page.next_cursor:
                break
        else:
            return
        done = span.since or _BEGINNING
        span.bookmark["done"] = done.isoformat()
    yield from _pieces(fetch, span, done, end)


def _pieces(fetch: Fetch, span: Span, done: datetime, end: datetime) -> Iterator[Page]:
    """Window after window, each as long as the one before makes it likely to be a piece."""
    length = _FIRST
    while done < end:
        until = _FOUNDED if done < _FOUNDED else min(done + length, end)
        rows = 0
        limit: Params = {"limit": span.page_size}
        for page in cursor_pages(fetch, limit | _between(done, until)):
            yield page
            rows += len(page.records)
            if rows >= 2 * span.piece_rows and page.next_cursor and length > _SHORTEST:
                length = max(_SHORTEST, length / 8)
                break
        else:
            done = until
            span.bookmark["done"] = done.isoformat()
            wanted = length * (span.piece_rows / max(rows, 1))
            length = max(_SHORTEST, min(_LONGEST, wanted, length * 4))


def _between(since: datetime, until: datetime) -> Params:
    """Rows of `[since, until)`; should the end be meant inclusively, a row comes twice."""
    return {
        name: f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
        for name, moment in (("since", since), ("until", until))
    }
