"""What a check of `pipeduck doctor` finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from .errors import is_told

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class Finding:
    """One sentence about one thing. `exit_code` is what a run would end with because of it."""

    check: str
    level: Level
    text: str
    exit_code: int = 0


def ok(check: str, text: str) -> Finding:
    """All is well."""
    return Finding(check, "ok", text)


def warning(check: str, text: str) -> Finding:
    """Something to know; runs do their work."""
    return Finding(check, "warning", text)


def problem(check: str, text: str, exit_code: int) -> Finding:
    """Something that keeps a run from doing its work."""
    return Finding(check, "problem", text, exit_code)


def from_error(check: str, error: Exception) -> Finding:
    """What an error means for the check it ended; one that was not expected is a finding too."""
    if is_told(error):
        return problem(check, f"{error.message} {error.hint}".strip(), error.exit_code)
    return problem(check, f"the check itself failed: {type(error).__name__}: {error}", 1)


def checked(check: str, look: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """The findings of `look`; an error that ends it is the last one."""
    try:
        yield from look()
    except Exception as error:  # one broken check must not hide what the others find
        yield from_error(check, error)
