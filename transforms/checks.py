"""Data checks: one SQL file is one check, its path is its name, its rows are what is wrong.

```sql
-- A lead is open, archived, converted or deleted.
--
-- Longer words, if they are needed.
--
-- severity: error

select id, status
from crm.leads
where …
```

The first paragraph is what must hold, in one sentence. A check of severity `error` stands for data
that is not to be published, `warn` for what is told. The columns are those that a person needs to
find the rows. `$now` and `$max_rejected_share` are the time of the checks and the configured share.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Any, Literal, cast, get_args

import duckdb

from transforms.headers import parse_header
from warehouse.errors import ModelError

Severity = Literal["error", "warn"]

_KEYS = ("severity",)
_SAMPLE = 5  # failing rows that are kept
_TOLD = 3  # failing rows that are told
_LONGEST = 40  # characters told of a value
_RUNS = 100  # runs whose results are kept


@dataclass(frozen=True, slots=True)
class Check:
    """One check: `description` is what must hold, `sql` finds the rows for which it does not."""

    name: str
    sql: str
    severity: Severity
    description: str


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check found. `sample` has up to five of the failing rows, values as in JSON."""

    name: str
    severity: Severity
    description: str
    failing_rows: int
    sample: tuple[Mapping[str, Any], ...] = ()

    @property
    def is_failed(self) -> bool:
        """Whether there is a row for which it does not hold."""
        return self.failing_rows > 0

    @property
    def is_error(self) -> bool:
        """Whether it failed, and what is in the file is not to be published."""
        return self.is_failed and self.severity == "error"


def load_checks() -> tuple[Check, ...]:
    """Every check in `transforms/sql/checks`, by name."""
    folder = files("transforms").joinpath("sql", "checks")
    return tuple(
        parse_check(file.name.removesuffix(".sql"), file.read_text(encoding="utf-8"))
        for file in sorted(folder.iterdir(), key=lambda f: f.name)
        if file.name.endswith(".sql")
    )


def parse_check(name: str, text: str) -> Check:
    """A check from the text of its file. Raises ModelError for a header that says too little."""
    title = f"The check {name}"
    header = parse_header(title, text, _KEYS)
    if not header.description:
        raise ModelError(
            f"{title} does not say what must hold.",
            f"Start transforms/sql/checks/{name}.sql with a sentence: '-- Every … has …'.",
        )
    severity = header.settings.get("severity", "")
    if severity not in get_args(Severity):
        raise ModelError(
            f"{title} has the severity {severity!r}, which is none.",
            f"Write '-- severity: ' and one of {', '.join(get_args(Severity))}.",
        )
    return Check(name, header.sql, cast(Severity, severity), header.description)


def run_checks(
    connection: duckdb.DuckDBPyConnection,
    *,
    run_id: str,
    now: datetime,
    max_rejected_share: float,
) -> tuple[CheckResult, ...]:
    """Look at staging, crm and ops as the last transform left them, and note the results.

    `max_rejected_share` (0 to 1) is the share of an entity's records whose value in one column may
    be rejected. `ops.checks` gets a row per check; it keeps those of the newest hundred runs.

    Raises ModelError for a check that does not parse or run; nothing is noted then.
    """
    values = {"now": now, "max_rejected_share": max_rejected_share}
    results = tuple(_run(connection, check, values) for check in load_checks())
    _note(connection, results, run_id, now)
    return results


def told(results: Iterable[CheckResult]) -> list[str]:
    """Lines for a person: what failed, errors first, each with a few of its rows."""
    failed = [result for result in results if result.is_failed]
    return [
        line
        for result in sorted(failed, key=lambda result: (result.severity, result.name))
        for line in _told_result(result)
    ]


def _run(
    connection: duckdb.DuckDBPyConnection, check: Check, values: Mapping[str, Any]
) -> CheckResult:
    used = {name: value for name, value in values.items() if f"${name}" in check.sql}
    # one row more than is kept: only where it is there, the rest must be counted
    first = f"select * from (\n{check.sql}) order by all limit {_SAMPLE + 1}"
    try:
        found = connection.execute(
            f"select to_json(failing)::varchar from (\n{first}\n) as failing", used
        ).fetchall()
        failing_rows = len(found)
        if failing_rows > _SAMPLE:
            counted = connection.execute(f"select count(*) from (\n{check.sql})", used).fetchone()
            failing_rows = int(counted[0]) if counted else failing_rows
    except duckdb.Error as error:
        raise ModelError(
            f"The check {check.name} does not run: {str(error).splitlines()[0]}",
            f"Nothing was published; see transforms/sql/checks/{check.name}.sql.",
        ) from error
    sample = tuple(json.loads(row) for (row,) in found[:_SAMPLE])
    return CheckResult(check.name, check.severity, check.description, failing_rows, sample)


def _note(
    connection: duckdb.DuckDBPyConnection,
    results: Sequence[CheckResult],
    run_id: str,
    now: datetime,
) -> None:
    connection.execute("begin transaction")
    try:
        connection.execute("delete from ops.checks where run_id = $run_id", {"run_id": run_id})
        connection.execute(
            """
            insert into ops.checks
                (run_id, name, severity, description, failing_rows, sample, checked_time)
            select
                $run_id,
                unnest($names),
                unnest($severities),
                unnest($descriptions),
                unnest($failing_rows),
                unnest($samples),
                $now
            """,
            {
                "run_id": run_id,
                "names": [result.name for result in results],
                "severities": [result.severity for result in results],
                "descriptions": [result.description for result in results],
                "failing_rows": [result.failing_rows for result in results],
                "samples": [
                    json.dumps(result.sample, ensure_ascii=False) if result.is_failed else None
                    for result in results
                ],
                "now": now,
            },
        )
        connection.execute(
            """
            delete from ops.checks
            where run_id not in (
                select run_id
                from ops.checks
                group by run_id
                order by max(checked_time) desc, run_id desc
                limit $runs
            )
            """,
            {"runs": _RUNS},
        )
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise


def _told_result(result: CheckResult) -> Iterator[str]:
    rows = "1 row" if result.failing_rows == 1 else f"{result.failing_rows:,} rows"
    yield f"{result.severity}: {result.name}, {rows}. {result.description}"
    for row in result.sample[:_TOLD]:
        yield "  " + " ".join(f"{name}={_short(value)}" for name, value in row.items())
    if result.failing_rows > _TOLD:
        yield f"  and {result.failing_rows - _TOLD:,} more"


def _short(value: Any) -> str:
    """A value on one line, cut where it is long."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
