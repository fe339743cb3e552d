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
class Part:
    """One of the lists a table is in: how many of its rows were live, how many are absent."""

    name: str
    live: int
    absent: int


@dataclass(frozen=True)
class Evidence:
    """What the whole lists of a table say. `absent` are live rows that they lack.

    `parts` are its lists, where it has two. `empty`: one that had nothing where there are live
    rows, as a fault would look. `doubt`: why one may not be whole. `rights`: how the one who listed
    differs from the one who did last time.
    """

    table: str
    listed: int
    live: int
    absent: int
    parts: tuple[Part, ...] = ()
    empty: str | None = None
    doubt: str | None = None
    rights: str | None = None


@dataclass(frozen=True)
class Refusal:
    """Why nothing is marked, as a sentence. `can_be_accepted`: unless somebody says so."""

    text: str
    can_be_accepted: bool = True


def find_refusal(
    evidence: Evidence, limits: Limits, *, is_accepted: bool = False
) -> Refusal | None:
    """Why the absent rows may not be marked; None where they may.

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
        text = f"{missing}, but it may not be whole ({seen.doubt}): {nothing}."
        return Refusal(text, can_be_accepted=False)
    if is_accepted:
        return None
    if seen.empty:
        return Refusal(
            f"Pipedrive's list of {seen.empty} is empty, {rows} would be gone: {nothing}."
        )
    if seen.rights:
        return Refusal(f"{missing}, but {seen.rights}: {nothing}.")
    for part in (Part(seen.table, seen.live, seen.absent), *seen.parts):
        if part.absent > limits.rows and part.absent > limits.share * part.live:
            of = "" if part.name == seen.table else f" of {part.name}"
            return Refusal(
                f"{missing} ({part.absent / part.live:.0%}{of}), which is more than {limits.rows} "
                f"rows and {limits.share:.0%}: {nothing}. More likely the token's user may no "
                "longer see them."
            )
    return None
