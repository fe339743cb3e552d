"""Charts as inline SVG that is as wide as its place: across in percent, down in pixels.

So text keeps its size on a phone and no script measures anything. Axes begin at zero and are
linear. What a chart shows is also in a table beside it, so a chart is one picture to a screen
reader; a pointer that rests on a bar is told its numbers.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from .markup import Html, join, number, share, tag, text

_PLOT = 168  # pixels between the axis and its highest line
_TOP = 10
_BOTTOM = 26
_LINES = 4
_DIGIT = 7.2  # pixels of a digit on the axis
_ROW = 40  # pixels of a name and its bar
_BAR = 12
_SHOWN = 34  # letters of a name that fit beside a number on a phone
_GAP = 0.28  # of a column's place


@dataclass(frozen=True, slots=True)
class Series:
    """What a colour stands for; `style` is a class of style.css."""

    name: str
    style: str


@dataclass(frozen=True, slots=True)
class Column:
    """An upright bar. `tick` is written under it, where `is_minor` only on wide screens."""

    title: str
    values: tuple[int, ...]
    tick: str = ""
    is_minor: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """A lying bar with its name above it and `note` at the right end."""

    name: str
    values: tuple[int, ...]
    note: str


def ticks(highest: int) -> list[int]:
    """Round numbers from 0 to `highest` or a little above, whole ones, at most six."""
    highest = max(1, highest)
    rough = max(1.0, highest / _LINES)
    power = 10 ** math.floor(math.log10(rough))
    step = next(int(power * times) for times in (1, 2, 5, 10) if power * times >= rough)
    return list(range(0, highest + step, step))


def columns(label: str, series: Sequence[Series], drawn: Sequence[Column]) -> Html:
    """Upright bars side by side, the series of each one upon the other."""
    lines = ticks(max((sum(column.values) for column in drawn), default=0))
    top, place = lines[-1], 100 / max(1, len(drawn))
    grid, names = [], []
    for value in lines:
        y = _y(value, top)
        grid.append(tag("line", x1="0", x2="100%", y1=y, y2=y, class_="grid"))
        names.append(tag("text", text(number(value)), x="100%", y=y + 4, text_anchor="end"))
    bars = [_column(column, series, top, place * i, place) for i, column in enumerate(drawn)]
    zero = _TOP + _PLOT
    axis = tag("line", x1="0", x2="100%", y1=zero, y2=zero, class_="axis")
    height = zero + _BOTTOM
    return tag(
        "div",
        tag(
            "svg",
            *names,
            width=math.ceil(_DIGIT * len(number(top))) + 2,
            height=height,
            aria_hidden="true",
        ),
        tag("svg", *grid, *bars, axis, width="100%", height=height, aria_hidden="true"),
        class_="plot upright",
        role="img",
        aria_label=label,
    )


def _y(value: float, top: int) -> float:
    return round(_TOP + _PLOT * (1 - value / top), 1)


def _column(column: Column, series: Sequence[Series], top: int, left: float, place: float) -> Html:
    parts: list[Html] = []
    below = 0
    for one, value in zip(series, column.values, strict=True):
        if value:
            y = _y(below + value, top)
            parts.append(
                tag(
                    "rect",
                    x=_percent(left + place * _GAP / 2),
                    width=_percent(place * (1 - _GAP)),
                    y=y,
                    # what is there is seen, however little it is
                    height=max(2.0, round(_y(below, top) - y, 1)),
                    class_=one.style,
                )
            )
            below += value
    catch = tag(
        "rect", x=_percent(left), width=_percent(place), y=_TOP, height=_PLOT, class_="catch"
    )
    tick = (
        tag(
            "text",
            text(column.tick),
            x=_percent(left + place / 2),
            y=_TOP + _PLOT + 18,
            text_anchor="middle",
            class_="minor" if column.is_minor else None,
        )
        if column.tick
        else Html("")
    )
    return tag(
        "g", tag("title", text(_told(column.title, series, column.values))), catch, *parts, tick
    )


def bars(
    label: str, series: Sequence[Series], drawn: Sequence[Bar], *, whole: int | None = None
) -> Html:
    """Lying bars, one below the other, all on one scale; `whole` is a full one."""
    longest = whole or max((sum(bar.values) for bar in drawn), default=0) or 1
    rows = [_bar(bar, series, longest, _ROW * i) for i, bar in enumerate(drawn)]
    return tag(
        "div",
        tag("svg", *rows, width="100%", height=_ROW * len(drawn), aria_hidden="true"),
        class_="plot",
        role="img",
        aria_label=label,
    )


def _bar(bar: Bar, series: Sequence[Series], longest: int, top: int) -> Html:
    y = top + 20
    parts = [tag("rect", x="0", y=y, width="100%", height=_BAR, class_="track")]
    left = 0.0
    for one, value in zip(series, bar.values, strict=True):
        if value:
            width = 100 * value / longest
            parts.append(
                tag(
                    "rect",
                    x=_percent(left),
                    y=y,
                    width=_percent(width),
                    height=_BAR,
                    class_=one.style,
                )
            )
            left += width
    return tag(
        "g",
        tag("title", text(_told(bar.name, series, bar.values))),
        tag("rect", x="0", y=top, width="100%", height=_ROW, class_="catch"),
        tag("text", text(shorten(bar.name)), x="0", y=top + 14, class_="name"),
        tag("text", text(bar.note), x="100%", y=top + 14, text_anchor="end", class_="value"),
        *parts,
    )


def legend(series: Sequence[Series], totals: Sequence[int]) -> Html:
    """What the colours stand for, with how many each has."""
    entries = [
        tag(
            "li",
            tag(
                "svg",
                tag("rect", width=12, height=12, class_=one.style),
                width=12,
                height=12,
                aria_hidden="true",
            ),
            text(f"{one.name} "),
            tag("b", text(number(total))),
        )
        for one, total in zip(series, totals, strict=True)
    ]
    return tag("ul", join(entries), class_="legend")


def shorten(name: str, width: int = _SHOWN) -> str:
    """`name` cut to `width` letters of the usual breadth; wide ones (汉, 🚀) count twice."""
    taken = 0
    for i, letter in enumerate(name):
        taken += 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if taken > width:
            return f"{name[: max(1, i - 1)].rstrip()}…"
    return name


def _told(title: str, series: Sequence[Series], values: Sequence[int]) -> str:
    if len(series) == 1:
        return f"{title}: {number(values[0])} {series[0].name}"
    whole = sum(values)
    lines = [
        f"{one.name}: {number(value)} ({share(value, whole)})"
        for one, value in zip(series, values, strict=True)
        if value
    ]
    return "\n".join([f"{title}: {number(whole)}", *lines])


def _percent(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".") + "%"
