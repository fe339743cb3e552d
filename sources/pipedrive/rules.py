"""What the client does about each fault: one table, which `docs/reliability.md` shows.

The rules themselves are attributes of the errors (`is_retried`, `stops_run`), so that an error
cannot have another rule than its kind. What is no fault: `data: null` is an empty page, a missing
`additional_data` the end of a list, unless the reading has reason to ask a second time.
"""

from __future__ import annotations

from dataclasses import dataclass

from .errors import (
    BadAnswer,
    BadRequest,
    Blocked,
    BudgetSpent,
    BurstLimited,
    Forbidden,
    Misconfigured,
    NoConnection,
    NotServed,
    ServerTrouble,
    SourceError,
    Unauthorized,
    Unreachable,
    Untrusted,
)

ATTEMPTS = 5
"""How often one request is sent before it is given up."""


@dataclass(frozen=True)
class Rule:
    """A fault, how the ledger calls it (`Trouble.kind`), and the error it ends in."""

    fault: str
    kinds: tuple[str, ...]
    error: type[SourceError]

    @property
    def text(self) -> str:
        """What is done about it."""
        end = "stop the run" if self.error.stops_run else "stop the entity"
        if self.error is NotServed:
            return "the other dialect with api = auto, else stop the entity"
        if not self.error.is_retried:
            return f"{end} at once"
        first = "wait, all threads" if self.error is BurstLimited else "again, with backoff"
        return f"{first}; after {ATTEMPTS} tries {end}"


RULES = (
    Rule("429 without a sign of the daily budget", ("429 burst",), BurstLimited),
    Rule("429 that speaks of the day, or with no token left", ("daily budget",), BudgetSpent),
    Rule("a request that would touch the daily reserve", ("reserve",), BudgetSpent),
    Rule("403 with a web page (Cloudflare)", ("blocked",), Blocked),
    Rule("401; with OAuth after one refresh", ("401",), Unauthorized),
    Rule("OAuth: refresh token or app not accepted", ("oauth",), Unauthorized),
    Rule("403 in JSON: rights, scope; 402: unpaid", ("403", "402"), Forbidden),
    Rule("404, 405, 410, 501", ("404", "405", "410", "501"), NotServed),
    Rule("redirect", ("redirect",), Misconfigured),
    Rule("any other 4xx", ("400", "415", "422"), BadRequest),
    Rule(
        "5xx, 408 or 425, with JSON, a web page or nothing",
        ("500", "502", "503", "504", "524", "408", "425"),
        ServerTrouble,
    ),
    Rule("no answer in time, or one that trickles", ("timeout",), Unreachable),
    Rule("connection reset or closed, before or in the body", ("reset",), Unreachable),
    Rule("connection refused, no route, no proxy", ("no connection",), NoConnection),
    Rule("no such host (DNS)", ("no such host",), NoConnection),
    Rule("TLS failure, bad certificate", ("tls",), Untrusted),
    Rule("cut or other JSON, an empty body", ("not json",), BadAnswer),
    Rule("a body that cannot be decompressed", ("undecodable",), BadAnswer),
    Rule("200 with another content type", ("content type",), BadAnswer),
    Rule("200 with success = false", ("success false",), BadAnswer),
)


def as_markdown() -> str:
    """The table, for the documentation."""
    lines = ["| fault | kind | what is done | error | exit code |", "|---|---|---|---|---|"]
    lines += [
        f"| {rule.fault} | {', '.join(rule.kinds)} | {rule.text} | {rule.error.__name__} "
        f"| {rule.error.exit_code} |"
        for rule in RULES
    ]
    return "\n".join(lines) + "\n"
