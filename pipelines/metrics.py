"""The text file for Prometheus: what the last run did, in the format of a textfile collector.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .notify import News

_SUCCESS = "pipeduck_last_success_timestamp_seconds"
_ROWS = "pipeduck_live_rows"
_MODE = 0o644  # a collector is another user


def write_metrics(file: Path, news: News) -> None:
    """Write `file` anew, beside and renamed, so that no collector reads a half. Raises OSError.

    What this run does not know (when one last succeeded, rows of tables it did not look at) is
    taken over from the file as it was.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    before = file.read_text("utf-8") if file.is_file() else ""
    beside = file.with_name(f".{file.name}.tmp")
    try:
        beside.write_text("".join(metrics(news, before)), "utf-8")
        beside.chmod(_MODE)
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


def metrics(news: News, before: str = "") -> Iterator[str]:
    """The lines of the file; `before` is what it held."""
    now = datetime.now(UTC).timestamp()
    success = now if news.exit_code == 0 else _old_success(before)
    yield from _gauge("pipeduck_last_run_timestamp_seconds", "When the last run ended.", {"": now})
    if success is not None:
        yield from _gauge(_SUCCESS, "When the last run without a failure ended.", {"": success})
    yield from _gauge(
        "pipeduck_last_run_exit_code", "Exit code of the last run.", {"": news.exit_code}
    )
    yield from _gauge(
        "pipeduck_last_run_duration_seconds", "How long the last run took.", {"": news.seconds}
    )
    yield from _gauge(
        "pipeduck_last_run_rows", "Rows the last run loaded: new or changed.", {"": news.rows}
    )
    yield from _gauge(
        "pipeduck_last_run_requests", "Requests the last run sent.", {"": news.requests}
    )
    yield from _gauge("pipeduck_last_run_tokens", "Tokens the last run spent.", {"": news.tokens})
    if news.budget:
        yield from _gauge(
            "pipeduck_daily_tokens_limit", "The company's tokens a day.", {"": news.budget.limit}
        )
        yield from _gauge(
            "pipeduck_daily_tokens_remaining",
            "Tokens left of the day when the last run ended.",
            {"": news.budget.remaining},
        )
    rows = _old_rows(before) | {table: float(count) for table, count in news.live_rows.items()}
    if rows:
        labelled = {f'{{table="{table}"}}': rows[table] for table in sorted(rows)}
        yield from _gauge(_ROWS, "Rows that are not gone, by table.", labelled)


def _gauge(name: str, meaning: str, values: Mapping[str, float]) -> Iterator[str]:
    yield f"# HELP {name} {meaning}\n# TYPE {name} gauge\n"
    for labels, value in values.items():
        number = int(value) if float(value).is_integer() else round(value, 3)
        yield f"{name}{labels} {number}\n"


def _old_success(before: str) -> float | None:
    found = re.search(rf"^{_SUCCESS} ([0-9.]+)$", before, re.MULTILINE)
    return float(found[1]) if found else None


def _old_rows(before: str) -> dict[str, float]:
    found = re.findall(rf'^{_ROWS}{{table="(\w+)"}} (\d+)$', before, re.MULTILINE)
    return {table: float(rows) for table, rows in found}
