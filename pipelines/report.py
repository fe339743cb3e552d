"""`pipeduck run --report FILE`: an account of a run as JSON, for whoever scheduled it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .errors import ConfigError
from .outcome import RunResult


def write_report(result: RunResult, file: Path) -> None:
    """Write the account of `result`. Raises ConfigError where the file cannot be written."""
    try:
        file.write_text(json.dumps(as_dict(result), indent=2, default=str) + "\n", "utf-8")
    except OSError as error:
        raise ConfigError(
            f"The report {file} cannot be written: {error.strerror}.", "The run itself is done."
        ) from error


def as_dict(result: RunResult) -> dict[str, Any]:
    """What happened in all, and per entity rows, requests, tokens, seconds and watermark."""
    return {
        "run_id": result.run_id,
        "exit_code": result.exit_code,
        "is_published": result.is_published,
        "requests": result.requests,
        "tokens": result.tokens,
        "error": str(result.error) if result.error else None,
        "entities": [
            {
                "entity": progress.entity,
                "mode": progress.mode,
                "rows_listed": progress.rows_listed,
                "rows_new": progress.rows_new,
                "rows_changed": progress.rows_changed,
                "rows_unchanged": progress.rows_unchanged,
                "rows_deleted": progress.rows_deleted,
                "rows_live": progress.rows_live,
                "requests": progress.meter.requests,
                "tokens": progress.meter.tokens,
                "seconds": round(progress.seconds, 3),
                "watermark": progress.watermark,
                "note": progress.note,
                "error": progress.error.message if progress.error else None,
            }
            for progress in result.progress
        ],
    }
