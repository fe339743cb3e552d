"""The comment header of a SQL file: a paragraph that describes it, then `key: value` lines.

Models (`transforms.models`) and data checks (`transforms.checks`) each know keys of their own; a
key that neither prose nor a known key explains is an error that names the nearest one.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from warehouse.errors import ModelError


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of itself, and the SQL below it.

    `description` is the first paragraph, empty where there is none; `columns` are the lines under
    `columns:`.
    """

    description: str
    settings: Mapping[str, str]
    columns: Mapping[str, str]
    sql: str


def parse_header(name: str, text: str, keys: Sequence[str]) -> Header:
    """The header of the file called `name`, which may have `keys`.

    Raises ModelError for a key that is unknown or stands twice, and for a column without words.
    """
    lines = text.splitlines()
    header: list[str] = []
    for line in lines:
        if not line.startswith("--"):
            break
        header.append(line.removeprefix("--").removeprefix(" ").rstrip())
    sql = "\n".join(lines[len(header) :]).strip() + "\n"

    paragraph: list[str] = []
    for line in header:
        if not line:
            break
        paragraph.append(line)
    settings, columns = _settings(name, header[len(paragraph) :], keys)
    description = " ".join(paragraph)
    is_description = not re.match(r"[a-z_]+:", description)
    return Header(description if is_description else "", settings, columns, sql)


def _settings(
    name: str, header: Sequence[str], keys: Sequence[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """The `key: value` lines of a header, and the column descriptions under `columns:`."""
    settings: dict[str, str] = {}
    columns: dict[str, str] = {}
    is_in_columns = False
    for line in header:
        key, colon, value = line.strip().partition(":")
        if line.startswith("  ") and is_in_columns:
            if not colon or not value.strip():
                raise ModelError(
                    f"{name} has a column without a description in its header: {line.strip()!r}.",
                    "Write '--   column: what it holds'.",
                )
            columns[key] = value.strip()
            continue
        is_in_columns = False
        if not colon or not re.fullmatch(r"[a-z_]+", key):
            continue  # prose
        if key not in keys:
            nearest = difflib.get_close_matches(key, keys, n=1)
            raise ModelError(
                f"{name} has an unknown key {key!r} in its header.",
                f"Did you mean {nearest[0]!r}?" if nearest else f"Known are {', '.join(keys)}.",
            )
        if key in settings:
            raise ModelError(f"{name} says {key!r} twice in its header.", "Remove one of them.")
        settings[key] = value.strip()
        is_in_columns = key == "columns"
    return settings, columns
