"""HTML by small functions. `Html` is markup that is safe; other text becomes it through `text`."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import NewType

Html = NewType("Html", str)

NOTHING = Html("")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_HOUR = 3600
_DAY = 24 * _HOUR
_TINY = 0.1
_LINE = 26  # letters that a cell of a table holds on one line
_VOID = frozenset({"meta", "input"})


def text(value: object) -> Html:
    """`value` as text of a page or an attribute; characters that HTML does not allow are U+FFFD."""
    return Html(html.escape(_CONTROL.sub("\ufffd", str(value))))


def tag(name: str, *children: Html, **attributes: object) -> Html:
    """An element. Attributes: `class_` is class, `_` is `-`; None and False are left out."""
    written = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{text(value)}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    end = "" if name in _VOID else f"</{name}>"
    return Html(f"<{name}{written}>{''.join(children)}{end}")


def join(parts: Iterable[Html]) -> Html:
    """The parts, one after the other."""
    return Html("".join(parts))


def name(value: object) -> Html:
    """A word out of the account, which may be written from right to left."""
    return tag("bdi", text(value))


def number(value: float | Decimal) -> str:
    """A number for people: `1,234,567`; amounts without their fractions."""
    return f"{round(value):,}"


def share(part: float, whole: float) -> str:
    """A share in percent: `12.5 %`; what is not nothing is not told as 0, nor what lacks as 100."""
    if not whole:
        return "-"
    percent = 100 * part / whole
    if 0 < percent < _TINY:
        return "< 0.1 %"
    if 100 - _TINY < percent < 100:
        return "> 99.9 %"
    return f"{percent:.0f} %" if percent in (0, 100) else f"{percent:.1f} %"


def count(value: int, thing: str) -> str:
    """`1 lead`, `1,200 leads`."""
    return f"{value:,} {thing}{'' if value == 1 else 's'}"


def day(value: date) -> str:
    """`1 Jun 2026`."""
    return f"{value.day} {value:%b %Y}"


def moment(value: datetime | None) -> str:
    """`1 Jun 2026, 08:00`, in UTC."""
    if value is None:
        return "-"
    there = value.astimezone(UTC)
    return f"{day(there)}, {there:%H:%M}"


def span(value: timedelta) -> str:
    """How long something takes or took, in its largest unit: `3 days`."""
    seconds = max(0, int(value.total_seconds()))
    if seconds < _HOUR:
        return f"{seconds // 60} min"
    if seconds < 2 * _DAY:
        return count(seconds // _HOUR, "hour")
    return count(seconds // _DAY, "day")


def table(
    caption: str, headings: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str = ""
) -> Html:
    """A table that scrolls by itself where it is wider than the screen; numbers stand right.

    The first cell of a row names it. `rows` hold text, numbers, None and `Html`-made names.
    """
    if not rows:
        return tag("p", text(empty or "Nothing."), class_="empty")
    numeric = [
        all(_is_number(row[i]) for row in rows) and any(row[i] is not None for row in rows)
        for i in range(len(headings))
    ]
    styles = [
        "number" if numeric[i] else "long" if any(_is_long(row[i]) for row in rows) else None
        for i in range(len(headings))
    ]
    head = [
        tag("th", text(heading), scope="col", class_=style)
        for heading, style in zip(headings, styles, strict=True)
    ]
    body = [
        tag(
            "tr",
            *(
                tag(
                    "td" if i else "th",
                    _cell(value),
                    scope=None if i else "row",
                    class_=styles[i],
                )
                for i, value in enumerate(row)
            ),
        )
        for row in rows
    ]
    return tag(
        "div",
        tag(
            "table",
            tag("caption", text(caption)),
            tag("thead", tag("tr", *head)),
            tag("tbody", *body),
        ),
        class_="scroller",
        role="region",
        tabindex=0,
        aria_label=caption,
    )


def _is_number(value: object) -> bool:
    if value is None or isinstance(value, int | float | Decimal):
        return not isinstance(value, bool)
    return isinstance(value, str) and bool(re.fullmatch(r"-|(> |< )?\d+(\.\d)? %", value))


def _is_long(value: object) -> bool:
    return isinstance(value, str) and len(value) > _LINE


def _cell(value: object) -> Html:
    if value is None:
        return text("-")
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return text(number(value))
    if isinstance(value, datetime):
        return text(moment(value))
    return name(value)
