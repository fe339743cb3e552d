"""A whole list against the live rows: what is absent, and whether to believe it.

A list that suddenly lacks many records speaks of rights or of a fault more often than of deletions:
then nothing is marked unless somebody says so.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What is marked without asking: up to `rows` rows, or up to that `share` of the live ones."""

    share: float = 0.1
    rows: int = 20


@dataclass(frozen=True)
class Evidence:
    """What the whole lists of a table say. `absent` are live rows that they lack.

    `empty`: a list that had nothing where there are live rows, as a fault would look. `doubt`: why
    one may not be whole. `rights`: how the one who listed differs from the one who did last time.
    """

    table: str
    listed: int
    live: int
    absent: int
    empty: str | None = None
    doubt: str | None = None
    rights: str | None = None


def find_refusal(evidence: Evidence, limits: Limits, *, is_accepted: bool = False) -> str | None:
    """Why the absent rows may not be marked, as a sentence; None where they may.

    `is_accepted`: somebody says that they are gone. A list that may not be whole is no evidence
    even then.
    """
    seen = evidence
    if not seen.absent:
        return None
    rows = f"{seen.absent:,} of {seen.live:,} {seen.table}"
    missing = f"{rows} {'is' if seen.absent == 1 else 'are'} not in Pipedrive's list any more"
    nothing = "nothing is marked as deleted"
    if seen.doubt:
        return f"{missing}, but it may not be whole ({seen.doubt}): {nothing}."
    if is_accepted:
        return None
    if seen.empty:
        return f"Pipedrive's list of {seen.empty} is empty, {rows} would be gone: {nothing}."
    if seen.rights:
        return f"{missing}, but {seen.rights}: {nothing}."
    if seen.absent > limits.rows and seen.absent > limits.share * seen.live:
        return (
            f"{missing} ({seen.absent / seen.live:.0%}), which is more than {limits.rows} rows "
            f"and {limits.share:.0%}: {nothing}. More likely the token's user may no longer see "
            "them."
        )
    return None
