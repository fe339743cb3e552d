"""A plain client for tests of the sandbox itself: urllib, no retries, nothing of the product."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import urlencode

from sources.sandbox import Sandbox

Row = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def data(self) -> Any:
        return self.json["data"]


def ask(url: str, headers: dict[str, str] | None = None, post: object = None) -> Reply:
    body = None if post is None else json.dumps(post).encode()
    request = urllib.request.Request(url, data=body, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return Reply(reply.status, reply.headers, reply.read())
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, error.headers, error.read())


def get(box: Sandbox, path: str, **params: object) -> Reply:
    query = f"?{urlencode(params)}" if params else ""
    return ask(box.url + path + query, {"x-api-token": box.token})


def do(box: Sandbox, action: str, **arguments: object) -> Any:
    reply = ask(f"{box.url}/_sandbox/do", post={"action": action, **arguments})
    assert reply.status == 200, reply.body
    return reply.json["result"]


def offset_pages(box: Sandbox, path: str, **params: object) -> Iterator[list[Row]]:
    start: int | None = 0
    while start is not None:
        reply = get(box, path, start=start, **params).json
        yield reply["data"]
        start = reply["additional_data"]["pagination"].get("next_start")


def cursor_pages(box: Sandbox, path: str, **params: object) -> Iterator[list[Row]]:
    cursor: dict[str, object] = {}
    while True:
        reply = get(box, path, **params, **cursor).json
        yield reply["data"]
        if reply["additional_data"]["next_cursor"] is None:
            return
        cursor = {"cursor": reply["additional_data"]["next_cursor"]}


def flat(pages: Iterator[list[Row]]) -> list[Row]:
    return [row for page in pages for row in page]
