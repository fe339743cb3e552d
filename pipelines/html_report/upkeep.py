"""The parts of the page about the data itself: custom fields, tables and runs, checks."""

from __future__ import annotations

from collections.abc import Sequence

from .charts import Bar, Column, Series, bars, columns, legend
from .facts import Check, Facts, Filled, Rejected, Run
from .figure import blank, figure, listing, section
from .markup import Html, count, day, moment, number, share

ENTITIES = ("leads", "deals", "persons", "organizations")
_BARS = 8  # fields of an entity; all are in its table
_OUTCOMES = (Series("ended well", "open"), Series("partial, refused or failed", "deleted"))


def fields_section(filled: Sequence[Filled]) -> Html:
    """The filled share of each custom field, by entity."""
    title = "Custom fields"
    if not filled:
        words = "The account has no custom fields."
        return section("fields", title, blank(title, words, is_wide=True))
    return section("fields", title, *(_fields_of(entity, filled) for entity in ENTITIES))


def _fields_of(entity: str, filled: Sequence[Filled]) -> Html:
    title = f"Fields of {entity}"
    its = sorted(
        (field for field in filled if field.entity == entity),
        key=lambda field: (-field.filled, field.label),
    )
    if not its:
        return blank(title, f"There are no custom fields on {entity}.")
    records = its[0].records
    if not records:
        return blank(title, f"No {entity} are loaded.")
    shown = its[:_BARS]
    drawn = [Bar(field.label, (field.filled,), share(field.filled, records)) for field in shown]
    words = f"Share of {number(records)} {entity} with a value, gone ones left out."
    if len(shown) < len(its):
        words += f" The {len(shown)} fields with most values; all {len(its)} are in the table."
    never = sum(not field.filled for field in its)
    if never:
        words += f" {count(never, 'field')} without any value."
    return figure(
        title,
        words,
        bars(title, (Series("with a value", "open"),), drawn, whole=records),
        ("field", "column", "type", "filled", "share"),
        [
            (
                field.label,
                field.column_name,
                field.field_type,
                field.filled,
                share(field.filled, records),
            )
            for field in its
        ],
    )


def runs_section(facts: Facts) -> Html:
    """How fresh and how large the tables are; rows and tokens of the last runs."""
    entities = listing(
        "What is loaded",
        "Rows of the tables. Gone: deleted, merged or converted, kept and marked. Times are UTC.",
        ("table", "rows", "gone", "newest change", "last read"),
        [(e.entity, e.live, e.gone, e.newest_change, e.last_read) for e in facts.entities],
    )
    if not facts.runs:
        nothing = blank("Runs", "No run is on record.", is_wide=True)
        return section("runs", "Freshness and runs", entities, nothing)
    budget = ""
    if facts.account.daily_limit and facts.account.daily_remaining is not None:
        left = share(facts.account.daily_remaining, facts.account.daily_limit)
        budget = (
            f" After the last one {number(facts.account.daily_remaining)} of the day's "
            f"{number(facts.account.daily_limit)} were left ({left})."
        )
    return section(
        "runs",
        "Freshness and runs",
        entities,
        _runs("Rows loaded by run", "rows", "New or changed rows.", facts.runs),
        _runs("Tokens spent by run", "tokens", f"What Pipedrive charged.{budget}", facts.runs),
    )


def _runs(title: str, what: str, words: str, runs: Sequence[Run]) -> Html:
    told = ("seconds", "error") if what == "rows" else ("requests",)
    headings = ("started", "command", "outcome", what, *told)
    values = [run.rows_loaded if what == "rows" else run.tokens for run in runs]
    well = [run.outcome == "ok" for run in runs]
    pairs = [(value, 0) if ok else (0, value) for value, ok in zip(values, well, strict=True)]
    every = max(1, -(-len(runs) // 5))
    drawn = [
        Column(
            f"{run.command} of {moment(run.started_time)} ({run.outcome})",
            pair,
            _tick(run, runs) if i % every == every // 2 else "",
            is_minor=(i // every) % 2 == 0,
        )
        for i, (run, pair) in enumerate(zip(runs, pairs, strict=True))
    ]
    how_many = "The only run" if len(runs) == 1 else f"The last {len(runs)} runs"
    return figure(
        title,
        f"{words} {how_many}, the newest on the right.",
        columns(title, _OUTCOMES, drawn),
        headings,
        [_listed(run, headings) for run in reversed(runs)],
        keys=legend(_OUTCOMES, (sum(well), len(well) - sum(well))),
    )


def _listed(run: Run, headings: Sequence[str]) -> list[object]:
    cells: dict[str, object] = {
        "started": run.started_time,
        "command": run.command,
        "outcome": run.outcome,
        "rows": run.rows_loaded,
        "requests": run.requests,
        "tokens": run.tokens,
        "seconds": run.seconds,
        "error": run.error or "",
    }
    return [cells[heading] for heading in headings]


def _tick(run: Run, runs: Sequence[Run]) -> str:
    """A day; where all runs are of one day, a time."""
    days = {day(one.started_time) for one in runs}
    return (
        f"{run.started_time:%H:%M}"
        if len(days) == 1
        else f"{run.started_time.day} {run.started_time:%b}"
    )


def checks_section(checks: Sequence[Check], rejected: Sequence[Rejected]) -> Html:
    """Whether the data is as it must be, and values that did not fit."""
    title = "Data checks"
    if checks:
        failing = sum(check.failing_rows > 0 for check in checks)
        verdict = f"{failing} of {len(checks)} do not hold." if failing else "All of them hold."
        shown = listing(
            title,
            f"Looked at {moment(checks[0].checked_time)} UTC. {verdict}",
            ("what must hold", "result", "failing rows", "check"),
            [
                (check.description, _result(check), check.failing_rows, check.name)
                for check in checks
            ],
        )
    else:
        shown = blank(title, "No check was made yet.", is_wide=True)
    values = "Rejected values"
    if not rejected:
        words = "None: every value fits its column."
        return section("checks", "Checks", shown, blank(values, words, is_wide=True))
    total, told = rejected[0].all_values, sum(row.values for row in rejected)
    words = (
        f"{count(total, 'value')} that Pipedrive sent and a column could not hold as it was. The "
        "table rejected_values has each one."
    )
    if told < total:
        words += f" The {len(rejected)} most frequent kinds:"
    return section(
        "checks",
        "Checks",
        shown,
        listing(
            values,
            words,
            ("table", "column", "reason", "values"),
            [(row.entity, row.column_name, row.reason, row.values) for row in rejected],
        ),
    )


def _result(check: Check) -> str:
    if not check.failing_rows:
        return "✓ holds"
    return "✗ fails" if check.severity == "error" else "! warning"
