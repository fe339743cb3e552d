"""Requests to Pipedrive: each sent in its turn, within the budget, and again where that helps.

Reads only. What is done about each fault is in `rules`; every failure is a line on the logger
`pipeduck.client` and a `Trouble`. A wait is never longer than `max_wait`, all waits of one request
together never longer than three times that.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import TypeVar

import tenacity

from .budget import Budget, DailyBudget
from .credentials import Credentials, Token
from .endpoints import USERS_ME_COST, Api, Endpoint, Route
from .errors import BurstLimited, Misconfigured, NotServed, SourceError, Stopped, Unauthorized
from .hosts import Host, find_host
from .identity import Identity, read_identity
from .meter import Meter, Meters
from .oauth import OAuth
from .pace import Pace
from .pages import Answer, Page, read_page
from .refusals import refusal
from .rules import ATTEMPTS
from .transport import Response, Transport
from .trouble import Trouble
from .waits import Waits, wanted

__all__ = ["Client", "DailyBudget", "Meter", "OAuth", "Token", "Trouble"]

log = logging.getLogger("pipeduck.client")
_T = TypeVar("_T")
_WORTH_TELLING = 1.0  # seconds that a wait for the burst window may take in silence


class Client:
    """A connection to one Pipedrive host, safe to share between threads.

    Without a `host` it is the one that OAuth credentials tell. `timeout` is how many seconds of
    silence end an answer; `max_wait` caps every wait (0: never wait); `daily_reserve` is the share
    of the day's tokens left to others. `on_trouble` hears of every failure and every longer wait,
    one at a time, in the thread it happens in. `sleep` and `clock` (seconds that never go back)
    are for tests.
    """

    def __init__(
        self,
        host: Host | None,
        credentials: Credentials,
        *,
        user_agent: str = "pipeduck",
        timeout: float = 60.0,
        max_wait: float = 60.0,
        daily_reserve: float = 0.0,
        on_trouble: Callable[[Trouble], None] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._host = host
        self._credentials = credentials
        self._v1_prefix: str | None = None
        self._max_wait = max_wait
        self._on_trouble = on_trouble
        self._sleep = sleep
        self._lock = threading.Lock()
        self._report_lock = threading.RLock()
        self._final: SourceError | None = None
        self._meters = Meters()
        self._budget = Budget(daily_reserve)
        self._pace = Pace(clock)
        self._transport = Transport(user_agent=user_agent, timeout=timeout, clock=clock)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def stop(self) -> None:
        """Ask nothing more: from the next request on, every one ends with Stopped.

        A signal handler may call this, so it takes no lock.
        """
        self._final = self._final or Stopped(
            "The run was stopped.", "What was read is kept, and the next run goes on from there."
        )

    @property
    def meter(self) -> Meter:
        """All that was spent."""
        return self._meters.total

    @property
    def spent(self) -> dict[str, Meter]:
        """What was spent by route path (`v2/persons`, `v1/leads`)."""
        return self._meters.by_path

    @property
    def daily(self) -> DailyBudget | None:
        """The company's tokens of the day, as far as headers told; None while none did."""
        return self._budget.daily

    @property
    def burst_limit(self) -> int | None:
        """Requests that two seconds allow, as far as headers told."""
        return self._pace.limit

    @property
    def host(self) -> Host:
        """Where requests go. Without a configured host this asks for an access token.

        Raises Misconfigured when the credentials do not tell either, and the errors of `OAuth`.
        """
        if self._host is None:
            request = _Request("oauth/token", {}, 0, Meter())
            self._try(request, lambda _: self._credentials.headers(self._transport.post))
            self._host = find_host("", self._credentials.api_domain)
        return self._host

    def identify(self) -> Identity:
        """`users/me`: the user behind the token.

        Also settles under which prefix this host serves v1. Raises NotAllowed for a bad token.
        """
        missing: NotServed | None = None
        for prefix in self.host.v1_prefixes:
            self._v1_prefix = prefix
            try:
                return self.ask("v1", "users/me", {}, USERS_ME_COST, Meter(), read_identity)
            except NotServed as error:
                missing = error
        raise missing or Misconfigured("The host has no prefix for v1.")

    def page(
        self, endpoint: Endpoint, route: Route, params: Mapping[str, str | int], meter: Meter
    ) -> Page:
        """One page of `route`. Raises the errors of `errors`; retries what retrying can mend."""

        def read(answer: Answer) -> Page:
            return read_page(answer, endpoint, route.api)

        return self.ask(route.api, route.path, params, route.cost, meter, read)

    def ask(
        self,
        api: Api,
        path: str,
        params: Mapping[str, str | int],
        cost: int,
        meter: Meter,
        read: Callable[[Answer], _T],
    ) -> _T:
        """What `read` makes of the answer to a GET. Raises and retries as `page` does."""
        prefix = "/api/v2" if api == "v2" else self._v1_prefix or self.host.v1_prefixes[0]
        url = f"{self.host.url}{prefix}/{path}"
        request = _Request(f"{'v2' if api == 'v2' else 'v1'}/{path}", dict(params), cost, meter)

        def attempt(waits: Waits) -> _T:
            headers = self._credentials.headers(self._transport.post)
            try:
                return read(self._send(url, request, headers, waits))
            except Unauthorized as error:
                if not self._credentials.renew(headers):
                    raise
                self._tell(request, waits, error, 0.0, is_final=False)
            headers = self._credentials.headers(self._transport.post)
            return read(self._send(url, request, headers, waits))

        return self._try(request, attempt)

    def _try(self, request: _Request, attempt: Callable[[Waits], _T]) -> _T:
        """What `attempt` gives, tried again by the rules."""
        waits = Waits(self._max_wait)

        def before_sleep(state: tenacity.RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            seconds = state.next_action.sleep if state.next_action else 0.0
            if isinstance(error, BurstLimited):
                self._pace.hold(seconds)
            if isinstance(error, SourceError):
                self._tell(request, waits, error, seconds, is_final=False)
            waits.attempt += 1

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(
                lambda error: isinstance(error, SourceError) and error.is_retried
            ),
            stop=lambda state: state.attempt_number >= ATTEMPTS or waits.are_used_up,
            wait=lambda state: waits.take(wanted(state)),
            before_sleep=before_sleep,
            sleep=self._sleep,
            reraise=True,
        )
        self._raise_final()
        try:
            return retrying(attempt, waits)
        except _Over as over:
            raise copy(over.error) from None
        except SourceError as error:
            self._tell(request, waits, error, 0.0, is_final=True)
            if error.stops_run:
                with self._lock:
                    self._final = self._final or error
            raise

    def _raise_final(self, wrap: bool = False) -> None:
        """Ask nothing more after an error that stops the run."""
        if self._final:
            raise _Over(self._final) if wrap else copy(self._final)

    def _send(
        self, url: str, request: _Request, headers: Mapping[str, str], waits: Waits
    ) -> Answer:
        """One request, in its turn and within the budget."""
        turn = self._pace.take()
        while turn.wait:
            self._wait_for_window(request, waits, turn.wait)
            turn = self._pace.take(is_forced=not waits.can_wait)
        response: Response | None = None
        try:
            self._raise_final(wrap=True)
            spending = self._budget.take(request.cost)
            try:
                asked = datetime.now(UTC)
                self._meters.count(request.path, request.meter, requests=1)
                response = self._transport.get(url, request.params, headers)
            finally:
                self._budget.settle(spending, response)
        finally:
            self._pace.give_back(turn, response)
        log.debug("GET %s %s %s", request.path, request.params, response.status)
        if response.is_success:
            self._meters.count(request.path, request.meter, tokens=request.cost)
        error = refusal(url, response, request.cost)
        if isinstance(error, Unauthorized):
            error.hint = self._credentials.hint
        if error:
            raise error
        return Answer(response.body, asked, response.server_time(otherwise=asked))

    def _wait_for_window(self, request: _Request, waits: Waits, wanted: float) -> None:
        seconds = waits.take(wanted)
        if seconds >= _WORTH_TELLING:
            log.info("%s waits %.1f s for the burst window.", request.path, seconds)
            self._report(
                request.trouble(
                    waits.attempt, None, "pace", "The burst window is used up.", seconds
                )
            )
        self._sleep(seconds)

    def _tell(
        self,
        request: _Request,
        waits: Waits,
        error: SourceError,
        seconds: float,
        *,
        is_final: bool,
    ) -> None:
        """Log a failure, and report it. That a list is not served may be no news to anybody."""
        error.redact(self._credentials.secrets)
        level = logging.INFO if isinstance(error, NotServed) else logging.WARNING
        end = "The run stops asking." if error.stops_run else "Given up."
        next_step = end if is_final else f"Trying again in {seconds:.1f} s."
        log.log(
            level,
            "%s, attempt %d (%s): %s %s",
            request.path,
            waits.attempt,
            error.kind,
            error.message,
            next_step,
        )
        self._report(
            request.trouble(
                waits.attempt, error.status, error.kind, error.message, seconds, is_final
            )
        )

    def _report(self, trouble: Trouble) -> None:
        if self._on_trouble is None:
            return
        try:
            with self._report_lock:
                self._on_trouble(trouble)
        except Exception as error:  # who keeps the books may not stop the work
            log.warning("A failed request could not be noted (%s).", type(error).__name__)


@dataclass(frozen=True)
class _Request:
    """What is asked for, however often it takes."""

    path: str
    params: Mapping[str, str | int]
    cost: int
    meter: Meter

    def trouble(
        self,
        attempt: int,
        status: int | None,
        kind: str,
        message: str,
        seconds: float,
        is_final: bool = False,
    ) -> Trouble:
        now = datetime.now(UTC)
        return Trouble(
            now, self.path, self.params, attempt, status, kind, message, seconds, is_final
        )


class _Over(Exception):
    """The run was stopped by another request: this one was not sent, and has nothing to tell."""

    def __init__(self, error: SourceError) -> None:
        super().__init__(error.message)
        self.error = error
