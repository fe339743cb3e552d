"""The part of the page about leads: weeks, ages, ways to an end, groups, and the way to a deal."""

from __future__ import annotations

from collections.abc import Sequence

from .charts import Bar, Column, Series, bars, columns, legend
from .facts import Age, Duration, Facts, Funnel, Group, Week
from .figure import blank, figure, section
from .markup import Html, count, day, number, share

STATUSES = (
    Series("open", "open"),
    Series("converted", "converted"),
    Series("archived", "archived"),
    Series("deleted", "deleted"),
)
_HEADINGS = ("leads", "open", "converted", "archived", "deleted")
_BARS = 8  # of groups; the rest is one bar
_LISTED = 50  # groups in a table; the rest is one row
_MONTH = 30.44  # days


def leads_section(facts: Facts) -> Html:
    """Leads by week, age, time to an end, source, label and owner."""
    if not facts.headline.leads:
        return section("leads", "Leads", blank("Leads", "No leads are loaded.", is_wide=True))
    return section(
        "leads",
        "Leads",
        _weeks(facts.weeks, facts.headline.leads),
        _ages(facts.ages, facts.headline.open_leads),
        _durations(facts.durations),
        _groups("By source", "source", "Where leads come from.", facts.sources),
        _groups(
            "By label",
            "label",
            "A lead with two labels counts for both, so the sum can exceed the leads there are.",
            facts.labels,
        ),
        _groups("By owner", "owner", "Who the leads belong to now.", facts.owners, is_wide=True),
    )


def _numbers(row: Week | Group) -> tuple[int, int, int, int]:
    return row.open_leads, row.converted, row.archived, row.deleted


def _weeks(weeks: Sequence[Week], leads: int) -> Html:
    title = "New leads by week"
    shown = sum(sum(_numbers(week)) for week in weeks)
    begin, end = day(weeks[0].week), day(weeks[-1].week)
    if not shown:
        words = f"No lead was created since {begin}; all {number(leads)} are older."
        return blank(title, words, is_wide=True)
    last = len(weeks) - 1
    drawn = [
        Column(
            f"Week of {day(week.week)}",
            _numbers(week),
            # counted from the end, so that the week that is going on is named
            f"{week.week.day} {week.week:%b}" if (last - i) % 4 == 1 else "",
            is_minor=(last - i) % 8 != 1,
        )
        for i, week in enumerate(weeks)
    ]
    totals = [sum(values) for values in zip(*map(_numbers, weeks), strict=True)]
    return figure(
        title,
        f"{count(shown, 'lead')} created since {begin}, coloured by what they are now; "
        f"{number(leads - shown)} are older. A week begins on Monday (UTC); the last one, of "
        f"{end}, is not over.",
        columns(title, STATUSES, drawn),
        ("week of", *_HEADINGS),
        [(day(week.week), sum(_numbers(week)), *_numbers(week)) for week in reversed(weeks)],
        keys=legend(STATUSES, totals),
        is_wide=True,
    )


def _ages(ages: Sequence[Age], open_leads: int) -> Html:
    title = "Age of open leads"
    if not open_leads:
        return blank(title, "No lead is open.")
    kind = (Series("open leads", "open"),)
    drawn = [Bar(age.span, (age.leads,), number(age.leads)) for age in ages]
    return figure(
        title,
        f"Time since an open lead was created. Half of them are older than "
        f"{_about(ages[0].median_days)}.",
        bars(title, kind, drawn),
        ("age", "open leads", "share"),
        [(age.span, age.leads, share(age.leads, open_leads)) for age in ages],
    )


def _durations(durations: Sequence[Duration]) -> Html:
    title = "Time to archive or conversion"
    archived = sum(row.archived for row in durations)
    converted = sum(row.converted for row in durations)
    if not archived + converted:
        return blank(title, "No lead is archived, and none was converted, as far as is known.")
    kinds = (Series("converted", "converted"), Series("archived", "archived"))
    drawn = [
        Bar(row.span, (row.converted, row.archived), number(row.converted + row.archived))
        for row in durations
    ]
    words = ["From the creation of a lead to its end."]
    if converted:
        words.append(f"Half of those converted took up to {_about(durations[0].converted_median)}.")
    if archived:
        words.append(f"Half of those archived took up to {_about(durations[0].archived_median)}.")
    if durations[0].impossible:
        words.append(f"Left out, with times that cannot be: {number(durations[0].impossible)}.")
    return figure(
        title,
        " ".join(words),
        bars(title, kinds, drawn),
        ("time", "converted", "archived"),
        [(row.span, row.converted, row.archived) for row in durations],
        keys=legend(kinds, (converted, archived)),
    )


def _about(days: float | None) -> str:
    """A median in words."""
    if days is None:
        return "an unknown time"
    if days < 1:
        return count(max(1, round(days * 24)), "hour")
    if days < 2 * _MONTH:
        return count(round(days), "day")
    return count(round(days / _MONTH), "month")


def _groups(
    title: str, what: str, words: str, groups: Sequence[Group], *, is_wide: bool = False
) -> Html:
    headings = (what, *_HEADINGS, "converted in %")
    named = [(group.name or f"no {what}", _numbers(group)) for group in groups]
    drawn = [Bar(name, numbers, number(sum(numbers))) for name, numbers in _fold(named, _BARS)]
    totals = [sum(values) for values in zip(*map(_numbers, groups), strict=True)]
    return figure(
        title,
        words,
        bars(title, STATUSES, drawn),
        headings,
        [
            (name, sum(numbers), *numbers, share(numbers[1], sum(numbers)))
            for name, numbers in _fold(named, _LISTED)
        ],
        keys=legend(STATUSES, totals),
        is_wide=is_wide,
    )


_Named = tuple[str, tuple[int, int, int, int]]


def _fold(groups: Sequence[_Named], room: int) -> list[_Named]:
    """The first `room` groups; those that have no place are added up in one."""
    if len(groups) <= room + 1:
        return list(groups)
    rest = [sum(values) for values in zip(*(row for _, row in groups[room:]), strict=True)]
    others = (f"{len(groups) - room:,} others", (rest[0], rest[1], rest[2], rest[3]))
    return [*groups[:room], others]


def funnel_section(funnel: Funnel) -> Html:
    """From lead to deal to won."""
    title = "From lead to deal to won"
    if not funnel.deals:
        words = (
            "No deals are loaded: the account has none that this token may see."
            if funnel.is_read
            else "No deals are loaded. With deals among resources in config.toml, the next run "
            "brings them."
        )
        return section("deals", "Deals", blank(title, words, is_wide=True))
    other = funnel.converted - funnel.won - funnel.lost - funnel.open_deals
    kinds = (
        Series("leads", "open"),
        Series("became a deal", "converted"),
        Series("deal was won", "won"),
    )
    drawn = [
        Bar("leads", (funnel.leads, 0, 0), number(funnel.leads)),
        Bar(
            "became a deal",
            (0, funnel.converted, 0),
            f"{number(funnel.converted)} · {share(funnel.converted, funnel.leads)} of leads",
        ),
        Bar(
            "deal was won",
            (0, 0, funnel.won),
            f"{number(funnel.won)} · {share(funnel.won, funnel.converted)} of these",
        ),
    ]
    words = (
        "All leads known, those that became a deal, and those whose deal was won. "
        + (
            f"{count(funnel.never_loaded, 'lead')} came and became a deal between two runs. "
            if funnel.never_loaded
            else ""
        )
        + "Of the "
        f"{count(funnel.converted, 'deal')} made from leads, {number(funnel.open_deals)} "
        f"{'is' if funnel.open_deals == 1 else 'are'} open and {number(funnel.lost)} "
        f"{'was' if funnel.lost == 1 else 'were'} lost."
        + (f" {number(other)} went another way: deleted, or back to a lead." if other else "")
        + f" The account has {count(funnel.deals, 'deal')} in all."
    )
    steps = (
        ("leads", funnel.leads),
        ("became a deal", funnel.converted),
        ("deal is open", funnel.open_deals),
        ("deal was won", funnel.won),
        ("deal was lost", funnel.lost),
        ("deal is gone", other),
    )
    return section(
        "deals",
        "Deals",
        figure(
            title,
            words,
            bars(title, kinds, drawn, whole=funnel.leads),
            ("step", "leads", "share of leads"),
            [(name, leads, share(leads, funnel.leads)) for name, leads in steps],
            is_wide=True,
        ),
    )
