"""From a label to a column name that no other column of the entity has."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from anyascii import anyascii

PREFIX = "cf_"
"""Keeps custom columns apart from Pipedrive's own for ever."""

_MAX_SLUG = 50
_MAX_EXPLICIT = 63
_EXPLICIT = re.compile(r"[a-z_][a-z0-9_]*")


def slug(label: str, key: str) -> str:
    """`label` in lower-case ASCII letters, digits and single underscores, 1 to 50 characters.

    Letters and digits of any script are transliterated, all else parts words. A label without any
    (an emoji) falls back on the key: `field_0a1b2c3d`.
    """
    text = "".join(
        anyascii(c) if c.isalnum() or unicodedata.category(c).startswith("M") else "_"
        for c in unicodedata.normalize("NFKC", label)
    )
    words = _underscored(text)[:_MAX_SLUG].strip("_")
    return words or f"field_{_underscored(key)[:8].strip('_')}"


def candidates(base: str, key: str) -> Iterator[str]:
    """Column names for a slug in order of preference: bare, then with more and more of the key."""
    yield PREFIX + base
    identity = _underscored(key) or "_"
    lengths = [*range(6, len(identity), 6), len(identity)]
    for length in dict.fromkeys(min(n, len(identity)) for n in lengths):
        yield f"{PREFIX}{base}_{identity[:length]}"
    number = 2
    while True:
        yield f"{PREFIX}{base}_{identity}_{number}"
        number += 1


def is_derived(column_name: str, base: str, key: str) -> bool:
    """Whether `candidates` can have given this name: false for one that config.toml chose."""
    bare = PREFIX + base
    return column_name == bare or column_name.startswith(f"{bare}_{_underscored(key)[:6]}")


def is_usable(name: str) -> bool:
    """Whether a name from config.toml may be a column."""
    return len(name) <= _MAX_EXPLICIT and _EXPLICIT.fullmatch(name) is not None


def _underscored(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
