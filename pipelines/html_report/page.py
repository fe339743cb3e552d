"""The page as a whole: one file that asks nobody for anything and runs no script."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from importlib.resources import files
from string import Template

from .facts import Account, Facts, OpenValue
from .leads import funnel_section, leads_section
from .markup import NOTHING, Html, count, day, join, moment, name, number, span, table, tag, text
from .upkeep import checks_section, fields_section, runs_section

_CURRENCIES = 3  # in the tile
_PARTS = (
    ("leads", "Leads"),
    ("deals", "Deals"),
    ("fields", "Custom fields"),
    ("runs", "Freshness and runs"),
    ("checks", "Checks"),
)


def render(facts: Facts, made: datetime) -> str:
    """The page. `made` is the time of this machine's clock that it bears."""
    style = _read("style.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    whose = facts.account.company_domain or "an account without a name"
    return Template(_read("page.html")).substitute(
        title=text(f"Leads of {whose}"),
        policy=text(
            f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; "
            "form-action 'none'"
        ),
        style=style,
        whose=name(whose),
        as_of=text(_as_of(facts.account)),
        parts=join(tag("li", tag("a", text(title), href=f"#{id_}")) for id_, title in _PARTS),
        tiles=_tiles(facts, made),
        sections=join(
            (
                leads_section(facts),
                funnel_section(facts.funnel),
                fields_section(facts.filled),
                runs_section(facts),
                checks_section(facts.checks, facts.rejected),
            )
        ),
        made=text(f"Made {moment(made)} by pipeduck {facts.account.version}".rstrip()),
    )


def _read(file: str) -> str:
    return files("pipelines").joinpath("html_report", file).read_text("utf-8")


def _as_of(account: Account) -> str:
    if account.last_run is None:
        return "No run is on record."
    return f"As Pipedrive had it on {moment(account.as_of)} UTC"


def _tiles(facts: Facts, made: datetime) -> Html:
    headline, as_of = facts.headline, facts.account.as_of
    last_month = as_of.replace(day=1)
    return join(
        (
            _tile(
                "Open leads",
                number(headline.open_leads),
                f"of {number(headline.leads)} ever loaded; {number(headline.unseen)} not yet seen",
            ),
            _tile(
                "New this week",
                number(headline.new_this_week),
                f"since Monday; {number(headline.new_last_week)} in the week before",
            ),
            _tile(
                "Converted this month",
                number(headline.converted_this_month),
                f"since {day(last_month)}; {number(headline.converted_last_month)} "
                "in the month before",
            ),
            _value_tile(facts.open_value),
            _freshness_tile(facts.account, made),
        )
    )


def _tile(title: str, value: str, words: str, *more: Html, style: str = "tile") -> Html:
    return tag(
        "div",
        tag("h2", text(title)),
        tag("p", text(value), class_="figure"),
        tag("p", text(words)),
        *more,
        class_=style,
    )


def _value_tile(values: tuple[OpenValue, ...]) -> Html:
    """Amounts of one currency stand apart from those of another: they are never added up."""
    valued = [row for row in values if row.currency is not None]
    without = sum(row.leads for row in values if row.currency is None)
    amounts = [
        tag(
            "li",
            tag("b", text(number(row.value or 0))),
            text(" "),
            name(row.currency or "no currency"),
            tag("span", text(count(row.leads, "lead"))),
        )
        for row in valued[:_CURRENCIES]
    ]
    words = f"{count(without, 'open lead')} without a value"
    rows = [
        (
            "no value" if row.currency is None else row.currency or "no currency",
            row.leads,
            row.value,
        )
        for row in values
    ]
    more = NOTHING
    if len(valued) > _CURRENCIES:
        more = tag(
            "details",
            tag("summary", text(f"All {len(valued)} currencies")),
            table("Value of open leads by currency", ("currency", "leads", "value"), rows),
        )
    shown = (
        tag("ul", *amounts, class_="amounts") if amounts else tag("p", text("-"), class_="figure")
    )
    return tag(
        "div",
        tag("h2", text("Value of open leads")),
        shown,
        tag("p", text(words)),
        more,
        class_="tile amounts-tile",
    )


def _freshness_tile(account: Account, made: datetime) -> Html:
    if account.last_run is None:
        return _tile("Freshness", "-", "No run is on record.")
    return _tile(
        "Freshness",
        span(made - account.last_run),
        f"since the last run that changed something, {moment(account.last_run)} UTC",
    )
