"""What an answer that is not a success means.

API: status codes page, rate limiting page, and what integrators met (`docs/reliability.md`).
"""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from .errors import (
    BadAnswer,
    BadRequest,
    Blocked,
    BudgetSpent,
    BurstLimited,
    Forbidden,
    Misconfigured,
    NotServed,
    ServerTrouble,
    SourceError,
    TryLater,
    Unauthorized,
)
from .transport import Response

NOT_SERVED = frozenset({404, 405, 410, 501})
_PASSING = frozenset({408, 425})  # a time-out and "too early", told by a server or a proxy
_SCOPES = "contacts:read, leads:read, deals:read, users:read, recents:read and base"


def refusal(url: str, response: Response, cost: int = 0) -> SourceError | None:
    """The error an answer of `url` stands for; None for a success that says it is JSON.

    `cost` is what the request would have cost in tokens.
    """
    status, text, path = response.status, error_text(response), urlsplit(url).path
    if response.is_success:
        if response.is_json:
            return None
        return BadAnswer(
            f"{path} answered with {response.headers['content-type']} instead of JSON.",
            "Usually passes by itself; if not, check base_url and any proxy in between.",
            kind="content type",
            status=status,
        )
    if status == 429:
        return _too_many(path, text, response, cost)
    if status == 403 and not (response.is_json and "content-type" in response.headers):
        return Blocked(
            "Pipedrive's gateway has shut us out (403 with a web page) after too many requests.",
            "Wait some minutes before the next run, and run less often.",
            status=status,
        )
    if (status >= 500 and status not in NOT_SERVED) or status in _PASSING:
        return _with_retry_after(
            ServerTrouble(
                f"{path} failed on Pipedrive's side ({status}: {text}).",
                "The next run goes on where this one stopped.",
                kind=str(status),
                status=status,
            ),
            response.number("retry-after"),
        )
    return _refused_for_good(url, path, status, text)


def _refused_for_good(url: str, path: str, status: int, text: str) -> SourceError:
    if status < 400:
        return Misconfigured(
            f"{path} answered with a redirect ({status}).",
            "Check base_url: redirects are not followed, so that the token stays with its host.",
            kind="redirect",
            status=status,
        )
    if status == 401:
        return Unauthorized(
            f"Pipedrive does not accept the token (401: {text}).",
            status=status,  # the hint is the credentials' own
        )
    if status in {402, 403}:
        return Forbidden(
            f"The token may not read {path} ({status}: {text}).",
            _what_is_missing(path, status, text),
            kind=str(status),
            status=status,
        )
    if status in NOT_SERVED:
        return NotServed(
            f"{urlsplit(url).hostname} does not serve {path} ({status}).",
            'Check base_url; with api = "auto" the other dialect is tried.',
            kind=str(status),
            status=status,
        )
    return BadRequest(
        f"Pipedrive did not accept the request for {path} ({status}: {text}).",
        kind=str(status),
        status=status,
    )


def _what_is_missing(path: str, status: int, text: str) -> str:
    if status == 402:
        return "Pipedrive asks for a payment: look at the company's subscription."
    if "scope" in text.lower():
        return f"The OAuth app needs {_SCOPES}; add what it lacks and authorize it again."
    if path.endswith("/collection"):
        return "The collection endpoints are for global admins: use an admin's token, or v2."
    return "Give the token's user the right to see it, or leave it out of resources."


def _too_many(path: str, text: str, response: Response, cost: int) -> SourceError:
    """A 429: of the day when the words or the headers say so, else of the burst window.

    No single sign is documented, so all that were seen are read (API facts, 2.4).
    """
    asked = response.number("retry-after")
    left, burst_left = (
        response.number(name)
        for name in ("x-daily-ratelimit-token-remaining", "x-ratelimit-remaining")
    )
    is_short = left is not None and (left == 0 or (left < cost and bool(burst_left)))
    if "daily" in text.lower() or is_short:
        when = f", in {_duration(asked)} as it says" if asked else ""
        spent = BudgetSpent(
            f"The company's daily token budget is spent (429: {text}).",
            f"It is refilled at midnight of Pipedrive's server{when}; the next run after that "
            "goes on.",
            status=429,
        )
        return _with_retry_after(spent, asked)
    return _with_retry_after(
        BurstLimited(
            f"{path}: too many requests in two seconds (429: {text}).",
            "Lower concurrency, or leave it to the next run.",
            status=429,
        ),
        response.number("x-ratelimit-reset") if asked is None else asked,
    )


def _with_retry_after(error: TryLater, seconds: int | None) -> TryLater:
    error.retry_after = None if seconds is None else float(seconds)
    return error


def _duration(seconds: int) -> str:
    hours, minutes = divmod(max(1, round(seconds / 60)), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


class _Body(msgspec.Struct):
    error: object = None
    error_info: object = None


def error_text(response: Response) -> str:
    """The `error` of a JSON body, in one line; otherwise the usual words for the status."""
    try:
        body = msgspec.json.decode(response.body, type=_Body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        body = _Body()
    return " ".join(str(body.error or response.reason).split())[:200]
