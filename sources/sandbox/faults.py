"""What can go wrong on the way: a small table of faults that answers can be made to have.

A fault waits for requests whose path matches a glob and spoils the next `times` of them, after
letting `after` of them through.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import orjson

from sources.sandbox.answers import Answer, burst_exceeded, daily_budget_spent

HTML = "text/html; charset=UTF-8"
_PAGE = b"<!DOCTYPE html><html><head><title>%s</title></head><body><h1>%s</h1></body></html>"

Spoil = Callable[..., Answer]


def _html(text: str) -> bytes:
    return _PAGE.replace(b"%s", text.encode())


def _status(_: Answer, code: int = 500, body: str = "json", text: str | None = None) -> Answer:
    """Another status; `body` is json, html or empty, `text` the error in a JSON body."""
    if body == "html":
        return Answer(code, _html(f"{code} error"), HTML)
    if body == "empty":
        return Answer(code, b"", "text/plain")
    return Answer(code, orjson.dumps({"success": False, "error": text or f"error {code}"}))


def _html_200(_: Answer) -> Answer:
    """A web page instead of JSON, as a login wall or a proxy sends it."""
    return Answer(200, _html("Pipedrive"), HTML)


def _content_type(answer: Answer, value: str = "text/plain") -> Answer:
    """The right body under a content type that is not JSON's."""
    answer.content_type = value
    return answer


def _empty(_: Answer) -> Answer:
    """Status 200 and nothing in it."""
    return Answer(200, b"")


def _body(answer: Answer, content: object) -> Answer:
    """Status and headers as they were, around another JSON body."""
    answer.body = orjson.dumps(content)
    return answer


def _undecodable(answer: Answer) -> Answer:
    """A body that says it is compressed, and is not."""
    answer.headers["Content-Encoding"] = "gzip"
    return answer


def _redirect(_: Answer, to: str = "/elsewhere", code: int = 302) -> Answer:
    """Somewhere else, please."""
    return Answer(code, b"", HTML, {"Location": to})


def _data_null(_: Answer) -> Answer:
    """A page whose `data` is null, with nothing after it."""
    body = {"success": True, "data": None, "additional_data": None}
    return Answer(200, orjson.dumps(body))


def _success_false(_: Answer) -> Answer:
    """Status 200 with `success` false."""
    return Answer(200, orjson.dumps({"success": False, "error": "something went wrong"}))


def _cut(answer: Answer) -> Answer:
    """The connection closes in the middle of the body."""
    answer.delivery = "cut"
    return answer


def _truncated(answer: Answer) -> Answer:
    """Whole by its length, but the JSON ends in the middle."""
    answer.body = answer.body[: len(answer.body) * 2 // 3]
    return answer


def _reset(answer: Answer) -> Answer:
    """The connection is reset before anything is sent."""
    answer.delivery = "reset"
    return answer


def _reset_midway(answer: Answer) -> Answer:
    """The connection is reset in the middle of the body."""
    answer.delivery = "reset_midway"
    return answer


def _hang(answer: Answer) -> Answer:
    """Nothing is ever sent; ends when the client gives up or the sandbox is closed."""
    answer.delivery = "hang"
    return answer


def _burst_429(_: Answer, headers: bool = True, retry_after: int | None = None) -> Answer:
    """Too many requests in two seconds; `headers` false leaves the rate-limit headers out."""
    spoiled = burst_exceeded()
    if headers:
        spoiled.headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}
    else:
        spoiled.headers = dict.fromkeys(_RATE_LIMIT_HEADERS, "")
    if retry_after is not None:
        spoiled.headers["retry-after"] = str(retry_after)
    return spoiled


def _daily_429(_: Answer, retry_after: int | None = 3939, words: bool = True) -> Answer:
    """The day's tokens are spent, in the words that were seen in production.

    Without the `words` only the header with the remaining tokens tells it from a burst.
    """
    spoiled = daily_budget_spent(retry_after) if words else burst_exceeded()
    spoiled.headers["x-daily-ratelimit-token-remaining"] = "0"
    return spoiled


def _cloudflare_403(_: Answer) -> Answer:
    """The refusal in front of the API that follows ignored 429s: HTML, no rate-limit headers."""
    headers = dict.fromkeys(_RATE_LIMIT_HEADERS, "")
    return Answer(403, _html("Access denied | Cloudflare"), HTML, headers)


def _no_additional_data(answer: Answer) -> Answer:
    """A page without `additional_data`; some v2 answers were seen so."""
    body = orjson.loads(answer.body)
    body.pop("additional_data", None)
    answer.body = orjson.dumps(body)
    return answer


def _replace(
    answer: Answer,
    id: object = None,
    patch: object = None,
    payload: list[object] | None = None,
) -> Answer:
    """Other rows: `payload` instead of all of them, or a JSON merge patch on the one of `id`.

    A field definition may also be named by its key.
    """
    body = orjson.loads(answer.body)
    if payload is not None:
        body["data"] = payload
    elif isinstance(body.get("data"), list) and id is not None:
        body["data"] = [
            merge_patch(row, patch)
            if id in (row.get("id"), row.get("key"), row.get("field_code"))
            else row
            for row in body["data"]
        ]
    answer.body = orjson.dumps(body)
    return answer


def _hook(answer: Answer) -> Answer:
    """Nothing; its `call` has run before the answer was made."""
    return answer


_RATE_LIMIT_HEADERS = (
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-daily-ratelimit-token-limit",
    "x-daily-ratelimit-token-remaining",
)

KINDS: dict[str, Spoil] = {
    "status": _status,
    "html": _html_200,
    "content_type": _content_type,
    "empty": _empty,
    "body": _body,
    "undecodable": _undecodable,
    "redirect": _redirect,
    "data_null": _data_null,
    "success_false": _success_false,
    "cut": _cut,
    "truncated": _truncated,
    "reset": _reset,
    "reset_midway": _reset_midway,
    "hang": _hang,
    "burst_429": _burst_429,
    "daily_429": _daily_429,
    "cloudflare_403": _cloudflare_403,
    "no_additional_data": _no_additional_data,
    "replace": _replace,
    "hook": _hook,
}
"""Kind to what it does to an answer."""


@dataclass(slots=True)
class Fault:
    """One fault that waits; `times` None means for ever."""

    path: str
    kind: str
    times: int | None = 1
    after: int = 0
    args: dict[str, Any] = field(default_factory=dict)
    call: Callable[[], object] | None = None

    def matches(self, path: str) -> bool:
        """Whether the path, with its version (`v1/leads`) or without it, matches the glob."""
        versioned = path.lstrip("/").removeprefix("api/")
        names = (path, versioned, versioned.partition("/")[2])
        return any(fnmatchcase(name, self.path) for name in names)

    def spoil(self, answer: Answer) -> Answer:
        """Give the answer as the fault leaves it."""
        return KINDS[self.kind](answer, **self.args)


class Faults:
    """The faults that wait, in the order they were asked for; one request meets at most one."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Let a fault wait; raises ValueError for an unknown kind."""
        if fault.kind not in KINDS:
            raise ValueError(f"there is no fault {fault.kind!r}, only {', '.join(KINDS)}")
        self._waiting.append(fault)

    def clear(self) -> None:
        """Forget all faults."""
        self._waiting.clear()

    def take(self, path: str) -> Fault | None:
        """Give the fault that this request meets, and count it."""
        for fault in self._waiting:
            if not fault.matches(path):
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
            return fault
        return None


def merge_patch(target: Any, patch: Any) -> Any:
    """Apply a JSON merge patch (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge_patch(result.get(name), value)
    return result
