"""One value as text for people, as a cell of CSV, and as JSON means it."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

JSON = msgspec.json.Encoder(decimal_format="number", enc_hook=str)
"""Decimals are numbers with all their digits; not-a-number and infinity, which JSON lacks, null."""


def as_text(value: Any) -> str:
    """A value as one cell: NULL empty, times in UTC with a `Z`, nested values as JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        if value.tzinfo is None:
            return value.isoformat(sep=" ")
        return value.astimezone(UTC).isoformat(sep=" ").replace("+00:00", "Z")
    if isinstance(value, list | dict | tuple):
        return JSON.encode(as_plain(value)).decode()
    return str(value)


def as_cell(value: Any) -> str:
    """A value for reading: as in CSV, but lists of plain values without brackets.

    Control characters are shown, not sent: a name in the CRM must not steer a terminal.
    """
    if isinstance(value, list) and not any(isinstance(item, list | dict) for item in value):
        text = ", ".join(as_text(item) for item in value)
    else:
        text = as_text(value)
    if text.isprintable():
        return text
    text = text.replace("\r\n", "\n")
    return "".join(
        f"\\x{ord(c):02x}" if unicodedata.category(c) == "Cc" and c not in "\n\t" else c
        for c in text
    )


def as_plain(value: Any) -> Any:
    """A value JSON can hold as it is meant: times in UTC, nested values likewise."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    if isinstance(value, dict):
        return {str(key): as_plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
        return [as_plain(item) for item in value]
    return value
