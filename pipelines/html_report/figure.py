"""A figure: title, what it shows in words, the picture, and the table behind it."""

from __future__ import annotations

from collections.abc import Sequence

from .markup import NOTHING, Html, table, tag, text


def figure(
    title: str,
    description: str,
    picture: Html,
    headings: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    keys: Html = NOTHING,
    is_wide: bool = False,
    summary: str = "The numbers",
) -> Html:
    """A picture with `keys` (its legend) and, to be unfolded, its numbers as a table."""
    return tag(
        "figure",
        _caption(title, description),
        keys,
        picture,
        tag("details", tag("summary", text(summary)), table(title, headings, rows)),
        class_="card wide" if is_wide else "card",
    )


def listing(
    title: str,
    description: str,
    headings: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    is_wide: bool = True,
) -> Html:
    """A table that is shown as it is, for what is read rather than looked at."""
    return tag(
        "figure",
        _caption(title, description),
        table(title, headings, rows),
        class_="card wide" if is_wide else "card",
    )


def blank(title: str, words: str, *, is_wide: bool = False) -> Html:
    """What stands in the place of a figure with nothing to show."""
    return tag(
        "div",
        tag("h3", text(title)),
        tag("p", text(words), class_="empty"),
        class_="card wide" if is_wide else "card",
    )


def section(id_: str, title: str, *figures: Html) -> Html:
    """A part of the page, which can be linked to."""
    return tag(
        "section",
        tag("h2", text(title), id=f"{id_}-title"),
        tag("div", *figures, class_="figures"),
        id=id_,
        aria_labelledby=f"{id_}-title",
    )


def _caption(title: str, description: str) -> Html:
    return tag("figcaption", tag("h3", text(title)), tag("p", text(description)))
