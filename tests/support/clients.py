"""The product's client against a sandbox, on a clock that only moves when somebody sleeps."""

from __future__ import annotations

import threading
from typing import Any

from sources.pipedrive.client import Client, Meter, Token, Trouble
from sources.pipedrive.credentials import Credentials
from sources.pipedrive.endpoints import ENDPOINTS
from sources.pipedrive.hosts import find_host
from sources.pipedrive.pages import Page
from sources.pipedrive.walks import Params
from sources.sandbox import Sandbox

PERSONS = next(e for e in ENDPOINTS if e.entity == "persons")
ORGANIZATIONS = next(e for e in ENDPOINTS if e.entity == "organizations")


class Clock:
    """Seconds; `sleep` is over at once, and is remembered."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []
        self._lock = threading.Lock()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.now += seconds
            self.slept.append(seconds)


class Heard(list[Trouble]):
    """What a client reports: `Client(..., on_trouble=heard.append)`."""

    @property
    def kinds(self) -> list[str]:
        return [trouble.kind for trouble in self]

    @property
    def waits(self) -> list[float]:
        return [trouble.wait_seconds for trouble in self]


def client_of(
    box: Sandbox, clock: Clock | None = None, credentials: Credentials | None = None, **options: Any
) -> Client:
    """A client that never sleeps: without a clock it does not wait either."""
    usual: dict[str, Any] = {"sleep": clock.sleep, "clock": clock} if clock else {"max_wait": 0.0}
    given = usual | {"timeout": 5.0} | options
    return Client(find_host("", box.url), credentials or Token(box.token), **given)


def persons(client: Client, params: Params | None = None) -> Page:
    return client.page(PERSONS, PERSONS.v2, params or {}, Meter())


def organizations(client: Client) -> Page:
    return client.page(ORGANIZATIONS, ORGANIZATIONS.v2, {}, Meter())


def asked(box: Sandbox, end: str) -> int:
    """How many requests came for the paths with this end."""
    return len([request for request in box.requests if request.path.endswith(end)])
