"""Every key of the configuration: its default, what it means, and how its value is read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

_DURATION = re.compile(r"\s*(\d+)\s*([smhd]?)\s*")
_LONGEST = 3650 * 86_400
_SIZE = re.compile(r"\d+(\.\d+)?\s*(KB|MB|GB|TB|KiB|MiB|GiB|TiB)", re.IGNORECASE)
_UNITS = {"s": 1, "": 1, "m": 60, "h": 3600, "d": 86_400}


class Invalid(ValueError):
    """A value that does not fit; the text says what would."""


@dataclass(frozen=True)
class Key:
    """One key: `read` turns a TOML value or the text of a variable into the typed value."""

    default: Any
    read: Callable[[Any], Any]
    meaning: str
    is_secret: bool = False  # refused in config.toml, and shown nowhere
    is_masked: bool = False  # an address with a secret in it: allowed there, shown nowhere

    @property
    def is_hidden(self) -> bool:
        """Whether no output may show the value."""
        return self.is_secret or self.is_masked


def text(value: Any) -> str:
    """Text without surrounding white space."""
    if not isinstance(value, str):
        raise Invalid("text")
    return value.strip()


def address(value: Any) -> str:
    """An http or https URL; empty is none."""
    found = text(value) if isinstance(value, str) else "?"
    try:
        parts = urlsplit(found)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        is_address = False
    if found and (not is_address or any(c.isspace() for c in found)):
        raise Invalid("an address such as https://example.com/path, or empty")
    return found


def duration(value: Any) -> timedelta:
    """`90s`, `10m`, `6h`, `1d`; empty is zero."""
    if value == "":
        return timedelta()
    found = _DURATION.fullmatch(str(value)) if isinstance(value, str | int) else None
    if not found or isinstance(value, bool):
        raise Invalid('a duration such as "90s", "10m", "6h" or "1d"')
    seconds = int(found[1]) * _UNITS[found[2]]
    if seconds > _LONGEST:
        raise Invalid("a duration of at most ten years")
    return timedelta(seconds=seconds)


def maybe_duration(value: Any) -> timedelta | None:
    """A duration, or None where it is empty."""
    return None if value == "" else duration(value)


def moment(value: Any) -> datetime | None:
    """A date or a time, in UTC unless it says otherwise; empty is None."""
    if value == "":
        return None
    try:
        found = datetime.fromisoformat(str(value))
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid('a date such as "2024-01-31", or empty for everything') from None


def size(value: Any) -> str:
    """An amount of memory as DuckDB takes it."""
    if not isinstance(value, str) or not _SIZE.fullmatch(value.strip()):
        raise Invalid('a size such as "2GB" or "512MB"')
    return value.strip()


def whole(least: int, most: int) -> Callable[[Any], int]:
    """A whole number within bounds."""

    def read(value: Any) -> int:
        try:
            number = int(str(value).replace("_", ""))
        except ValueError:
            number = least - 1
        if isinstance(value, bool) or not least <= number <= most:
            raise Invalid(f"a whole number from {least} to {most}")
        return number

    return read


def share(value: Any) -> float:
    """A share from 0 to less than 1."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if isinstance(value, bool) or not 0 <= number < 1:
        raise Invalid("a share from 0 to less than 1")
    return number


def whole_share(value: Any) -> float:
    """A share from 0 to 1."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if isinstance(value, bool) or not 0 <= number <= 1:
        raise Invalid("a share from 0 to 1")
    return number


def one_of(*choices: str) -> Callable[[Any], str]:
    """One of a closed set of words."""

    def read(value: Any) -> str:
        if value not in choices:
            raise Invalid(f"one of {', '.join(choices)}")
        return str(value)

    return read


def some_of(*choices: str) -> Callable[[Any], tuple[str, ...]]:
    """A list of words, in a variable as JSON or with commas; in the order of `choices`."""

    def read(value: Any) -> tuple[str, ...]:
        wanted = _as_list(value)
        if not wanted or not set(wanted) <= set(choices):
            raise Invalid(f"a list with some of {', '.join(choices)}")
        return tuple(choice for choice in choices if choice in wanted)

    return read


def any_of(*choices: str) -> Callable[[Any], tuple[str, ...]]:
    """The same, where the list may be empty."""
    some = some_of(*choices)

    def read(value: Any) -> tuple[str, ...]:
        return () if value in ("", "[]", []) else some(value)

    return read


def _as_list(value: Any) -> list[str]:
    if isinstance(value, str):
        try:
            parsed = json.loads(value)
        except ValueError:
            parsed = [part.strip() for part in value.split(",") if part.strip()]
        value = parsed
    return value if isinstance(value, list) and all(isinstance(v, str) for v in value) else []


_RESOURCES = ("leads", "archived_leads", "persons", "organizations", "deals")
_CADENCES = {
    "users": timedelta(hours=6),
    "lead_sources": timedelta(days=1),
    "currencies": timedelta(days=1),
    "pipelines": timedelta(days=1),
    "stages": timedelta(days=1),
    "lead_labels": timedelta(),
    "deal_fields": timedelta(),
    "lead_fields": timedelta(),
    "person_fields": timedelta(),
    "organization_fields": timedelta(),
    "recents": timedelta(),
}
TABLES = ("leads", "persons", "organizations", "deals")
ENTITIES = TABLES
ENDS = ("success", "partial", "later", "failure")

KEYS: dict[str, Key] = {
    "sources.pipedrive.api_token": Key(
        "", text, "Personal API token; from the environment or .dlt/secrets.toml", is_secret=True
    ),
    **{
        f"sources.pipedrive.{name}": Key(
            "", text, f"OAuth in place of a token: {what}", is_secret=True
        )
        for name, what in (
            ("client_id", "id of the app"),
            ("client_secret", "secret of the app"),
            ("refresh_token", "refresh token of the installation"),
        )
    },
    "sources.pipedrive.oauth_url": Key(
        "https://oauth.pipedrive.com/oauth/token", address, "Where access tokens are refreshed"
    ),
    "sources.pipedrive.company_domain": Key("", text, "`acme` for acme.pipedrive.com"),
    "sources.pipedrive.base_url": Key("", text, "Another address, for sandboxes and proxies"),
    "sources.pipedrive.api": Key(
        "auto", one_of("auto", "v2", "collection"), "Lists of persons and organizations to use"
    ),
    "sources.pipedrive.start_date": Key(
        None,
        moment,
        "Nothing older is loaded; empty: everything (moved back later: run `--full-refresh`)",
    ),
    "sources.pipedrive.resources": Key(_RESOURCES, some_of(*_RESOURCES), "What to load"),
    "sources.pipedrive.page_size": Key(
        500, whole(2, 500), "Rows per request; costs are per request"
    ),
    "sources.pipedrive.package_rows": Key(
        50_000, whole(1, 10_000_000), "Rows loaded and committed at a time"
    ),
    "sources.pipedrive.overlap": Key(
        timedelta(minutes=10), duration, "How far before the watermark a run reads again"
    ),
    "sources.pipedrive.full_listing_pages": Key(
        2, whole(0, 1000), "Entities of up to so many pages are listed in full on every run"
    ),
    "sources.pipedrive.concurrency": Key(4, whole(1, 32), "Entities read side by side"),
    "sources.pipedrive.daily_reserve": Key(
        0.2, share, "Share of the day's tokens left to the company's other tools"
    ),
    "sources.pipedrive.timeout": Key(
        timedelta(seconds=60), duration, "How long one answer may take"
    ),
    "sources.pipedrive.max_wait": Key(
        timedelta(seconds=60), duration, "Longest wait before a request is tried again"
    ),
    **{
        f"sources.pipedrive.cadence.{entity}": Key(
            default, duration, f"How often {entity} are read again; empty: on every run"
        )
        for entity, default in _CADENCES.items()
    },
    "reconcile.every": Key(
        timedelta(days=7),
        duration,
        "How often a run lists an entity whole to find what is gone or changed silently; empty: "
        "on every run",
    ),
    **{
        f"reconcile.{table}": Key(
            timedelta(days=1) if table == "leads" else None,
            maybe_duration,
            f"The same for {table}; empty: `reconcile.every`",
        )
        for table in TABLES
    },
    "reconcile.max_share": Key(
        0.1, share, "Nothing is marked as deleted when more than this share of an entity is missing"
    ),
    "reconcile.max_rows": Key(20, whole(0, 1_000_000), "and more than so many rows"),
    "warehouse.path": Key("data/warehouse.duckdb", text, "The working file, written by runs"),
    "warehouse.publish": Key("data/pipedrive.duckdb", text, "The published file, for reading"),
    "warehouse.memory_limit": Key("2GB", size, "Most memory DuckDB takes"),
    "warehouse.encryption_key": Key(
        "", text, "Encrypts the working and the published file; empty: not", is_secret=True
    ),
    "history.entities": Key(
        (), any_of(*TABLES), "Entities whose every version seen is kept; docs/history.md"
    ),
    "checks.max_rejected_share": Key(
        0.5,
        whole_share,
        "Nothing is published when more than this share of an entity's values do not fit a column",
    ),
    "notify.webhook": Key(
        "", address, "Told how runs ended, as Slack takes it; docs/operations.md", is_masked=True
    ),
    "notify.healthcheck": Key(
        "", address, "Pinged at start, success and failure, as healthchecks.io", is_masked=True
    ),
    "notify.metrics": Key("", text, "A text file for Prometheus, written after each run"),
    "notify.on": Key(
        ("partial", "failure"),
        any_of(*ENDS),
        "Ends the webhook is told of: some of success, partial, later, failure",
    ),
}


def as_toml(value: Any) -> str:
    """A typed value as it stands in config.toml."""
    if value is None:
        return '""'
    if isinstance(value, timedelta):
        seconds = int(value.total_seconds())
        if not seconds:
            return '""'
        unit = next(u for u in ("d", "h", "m", "s") if seconds % _UNITS[u] == 0)
        return f'"{seconds // _UNITS[unit]}{unit}"'
    if isinstance(value, tuple):
        return json.dumps(list(value))
    return json.dumps(value)
