"""What the report is drawn with: text that is only text, honest axes, colours told apart."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from importlib.resources import files
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from pipelines.html_report import facts
from pipelines.html_report.charts import Bar, Column, Series, bars, columns, shorten, ticks
from pipelines.html_report.markup import number, share, span, table, tag, text
from pipelines.html_report.page import render

NOW = datetime(2026, 6, 3, 12, tzinfo=UTC)
HOSTILE = "<script>document.title = 'taken'</script><img src=x onerror=\"alert('1')\">"
STYLE = files("pipelines").joinpath("html_report", "style.css").read_text("utf-8")


def small(name: str) -> facts.Facts:
    """A small account in which everything that has a name is called `name`."""
    return facts.Facts(
        account=facts.Account(name, NOW, NOW, "1.0", 1000, 900),
        headline=facts.Headline(1234, 1234, 1, 2, 3, 4, 5),
        open_value=tuple(facts.OpenValue(f"{name}{i}", i, Decimal("1e12")) for i in range(5)),
        weeks=tuple(
            facts.Week(date(2025, 12, 8) + timedelta(weeks=i), i, 1, 0, 0) for i in range(26)
        ),
        ages=(facts.Age("under a week", 1234, 0.01),),
        durations=(facts.Duration("under a day", 1, 1, 0.5, 90, 1),),
        sources=(facts.Group(name, 5, 4, 3, 2),),
        labels=(facts.Group(name, 5, 4, 3, 2), facts.Group(None, 1, 0, 0, 0)),
        owners=tuple(facts.Group(f"{name}{i}", 1, 0, 0, 0) for i in range(70)),
        funnel=facts.Funnel(3, True, 10, 0, 3, 1, 1, 0),
        filled=(facts.Filled("leads", name, f"cf_{name}", name, 0, 1234),),
        entities=(facts.Entity("leads", 1234, 0, NOW, None),),
        runs=(facts.Run(NOW, "run", "failed", 0, 1, 0, None, name),),
        checks=(facts.Check(name, name, "error", 1, NOW),),
        rejected=(facts.Rejected("leads", name, name, 1, 1),),
    )


def test_names_out_of_the_account_are_text_and_never_markup() -> None:
    page = render(small(HOSTILE), NOW)
    assert "<script" not in page
    assert "<img" not in page
    assert page.count(html.escape(HOSTILE)) > 10


def test_characters_that_html_does_not_allow_are_replaced() -> None:
    assert text('a\x00b\x1b\ud800"<') == "a\ufffdb\ufffd\ufffd&quot;&lt;"


def test_the_page_is_well_formed() -> None:
    page = render(small(HOSTILE + "\x00 & שלום"), NOW)
    closed = re.sub(r"<(meta|input)\b([^>]*)>", r"<\1\2/>", page.replace("<!doctype html>", ""))
    bare = re.sub(r" (checked)(?=[\s/>])", r' \1=""', closed)
    ElementTree.fromstring(bare)


def test_the_page_asks_for_nothing_and_its_policy_forbids_it() -> None:
    page = render(small("a"), NOW)
    assert not re.search(
        r"https?:|url\(|@import|\bsrc=|<script|<link|<iframe| style=| on\w+=", page
    )
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    assert html.unescape(policy).startswith(f"default-src 'none'; style-src 'sha256-{digest}'")


def test_every_picture_has_a_title_words_and_a_table_behind_it() -> None:
    page = render(small("a"), NOW)
    figures = re.findall(r"<figure.*?</figure>", page, re.DOTALL)
    pictures = [one for one in figures if 'role="img"' in one]
    assert len(pictures) == 10
    for one in pictures:
        assert re.search(r"<figcaption><h3>[^<]+</h3><p>[^<]+</p></figcaption>", one)
        assert re.search(r'role="img" aria-label="[^"]+"', one)
        assert re.search(r"<details><summary>.*<table><caption>", one, re.DOTALL)
    assert len(re.findall(r' id="', page)) == len(set(re.findall(r' id="([^"]+)"', page)))


def test_links_within_the_page_lead_somewhere() -> None:
    page = render(small("a"), NOW)
    for target in re.findall(r'href="#([^"]+)"', page):
        assert f'id="{target}"' in page


def test_amounts_of_different_currencies_are_never_added() -> None:
    page = render(small("X"), NOW)
    assert "1,000,000,000,000" in page
    assert "5,000,000,000,000" not in page
    assert "All 5 currencies" in page


def test_groups_without_a_place_are_added_up() -> None:
    page = render(small("a"), NOW)
    assert "62 others" in page  # behind eight bars
    assert "20 others" in page  # behind fifty rows


def test_a_page_without_deals_says_whether_they_were_asked_for() -> None:
    none = replace(small("a"), funnel=facts.Funnel(0, True, 0, 0, 0, 0, 0, 0))
    assert "the account has none that this token may see" in render(none, NOW)
    unread = replace(none, funnel=replace(none.funnel, is_read=False))
    assert "With deals among resources" in render(unread, NOW)


@pytest.mark.parametrize("highest", [0, 1, 3, 4, 7, 99, 100, 101, 123_456, 10**9])
def test_an_axis_begins_at_zero_and_has_few_round_lines(highest: int) -> None:
    lines = ticks(highest)
    assert lines[0] == 0
    assert lines[-2] <= highest <= lines[-1] or highest == 0
    assert 2 <= len(lines) <= 7
    assert len({right - left for left, right in pairwise(lines)}) == 1


def test_columns_are_as_high_as_their_numbers() -> None:
    drawn = columns("x", (Series("a", "open"),), [Column("1", (50,)), Column("2", (100,))])
    low, high = (float(value) for value in re.findall(r'height="([\d.]+)" class="open"', drawn))
    assert high == pytest.approx(2 * low, abs=0.2)
    assert "1: 50 a" in drawn


def test_bars_are_as_long_as_their_numbers() -> None:
    kinds = (Series("a", "open"), Series("b", "won"))
    drawn = bars("x", kinds, [Bar("one", (25, 25), "50")], whole=200)
    assert re.findall(r'x="([\d.]+)%" y="20" width="([\d.]+)%"', drawn) == [
        ("0", "12.5"),
        ("12.5", "12.5"),
    ]
    assert "one: 50\na: 25 (50.0 %)" in html.unescape(drawn)


def test_small_and_almost_whole_shares_are_not_told_as_none_or_all() -> None:
    assert share(0, 0) == "-"
    assert share(0, 10) == "0 %"
    assert share(10, 10) == "100 %"
    assert share(1, 3) == "33.3 %"
    assert share(1, 100_000) == "< 0.1 %"
    assert share(99_999, 100_000) == "> 99.9 %"


def test_times_are_told_in_their_largest_unit() -> None:
    assert span(timedelta(minutes=-5)) == "0 min"
    assert span(timedelta(minutes=59)) == "59 min"
    assert span(timedelta(hours=47)) == "47 hours"
    assert span(timedelta(days=400)) == "400 days"


def test_long_names_are_cut_and_wide_letters_count_twice() -> None:
    assert shorten("x" * 34) == "x" * 34
    assert shorten("x" * 40) == "x" * 33 + "…"
    assert shorten("漢" * 40) == "漢" * 16 + "…"


def test_numbers_stand_right_and_long_text_may_wrap() -> None:
    drawn = table("t", ("a", "b", "c"), [("x", 1, "word " * 9), ("y", None, "z")])
    assert drawn.count('class="number"') == 3
    assert drawn.count('class="long"') == 3
    assert number(Decimal("-1234567.5")) == "-1,234,568"
    assert tag("p", hidden=False, tabindex=0) == '<p tabindex="0"></p>'


COLOURS = {
    name: (light, dark)
    for name, light, dark in re.findall(r"--(\w+): light-dark\((#\w{6}), (#\w{6})\)", STYLE)
}


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("front", "least"),
    [("ink", 7), ("soft", 4.5), ("accent", 4.5)]
    + [(name, 3) for name in ("open", "converted", "archived", "deleted", "won")],
)
def test_text_and_bars_stand_out_as_wcag_aa_asks(front: str, least: float, theme: int) -> None:
    backs = ("card", "page", "track") if least > 3 else ("card",)
    for back in backs:
        assert _contrast(COLOURS[front][theme], COLOURS[back][theme]) >= least, (front, back)


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    """Of WCAG 2.2, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
