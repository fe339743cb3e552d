"""An HTTP answer before it is sent, and the refusals that Pipedrive words in its own way."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import orjson

JSON = "application/json; charset=utf-8"
INFO = "Please check developers.pipedrive.com"


@dataclass(slots=True)
class Answer:
    """Status, body and headers; `delivery` says how far the answer gets on its way.

    whole: as it should be · cut: the connection closes in the middle of the body · reset: the
    connection is reset before anything is sent · reset_midway: in the middle of the body · hang:
    nothing is ever sent.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    delivery: Literal["whole", "cut", "reset", "reset_midway", "hang"] = "whole"


class RefusedError(Exception):
    """A request that the API answers with an error."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.answer = refusal(status, error)


def data(rows: Sequence[bytes], additional: object = None, **more: object) -> Answer:
    """Answer with a list of rows that are JSON already."""
    ending = {"additional_data": additional, **more} if additional is not None else more
    tail = orjson.dumps(ending)[1:] if ending else b"}"
    comma = b"," if ending else b""
    head, end = b'{"success":true,"data":[', b"]" + comma + tail
    return Answer(body=b"".join((head, b",".join(rows), end)))


def one(value: object, additional: object = None) -> Answer:
    """Answer with one value."""
    ending = {} if additional is None else {"additional_data": additional}
    return Answer(body=orjson.dumps({"success": True, "data": value, **ending}))


def refusal(status: int, error: str) -> Answer:
    """Answer with an error, as the specification's 403 is worded."""
    body = {
        "success": False,
        "error": error,
        "error_info": INFO,
        "data": None,
        "additional_data": None,
    }
    return Answer(status, orjson.dumps(body))


def unauthorized() -> Answer:
    """Answer 401 as the gateway was seen to do."""
    body = {"success": False, "error": "unauthorized access", "errorCode": 401, "error_info": INFO}
    return Answer(401, orjson.dumps(body), headers={"x-401-by-gw": "true"})


def daily_budget_spent(retry_after: int | None) -> Answer:
    """Answer 429 as it was seen when the day's tokens were spent."""
    body = {"success": False, "error": "daily request budget exceeded", "errorCode": 429}
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    return Answer(429, orjson.dumps(body), headers=headers)


def burst_exceeded() -> Answer:
    """Answer 429 for too many requests in two seconds; the exact body is not known."""
    body = {"success": False, "error": "request over limit", "errorCode": 429, "error_info": INFO}
    return Answer(429, orjson.dumps(body))
