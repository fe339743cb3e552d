"""HTTP to Pipedrive: the only module that imports httpx.

Reads only. The token travels in a header and appears in no URL, error, or log line.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import TypeVar

import httpx
import tenacity

from .endpoints import USERS_ME_COST, Api, Endpoint, Route
from .errors import (
    BadAnswer,
    BadRequest,
    Blocked,
    BudgetSpent,
    BurstLimited,
    Forbidden,
    Misconfigured,
    NoToken,
    NotServed,
    ServerTrouble,
    SourceError,
    Unauthorized,
    Unreachable,
)
from .hosts import Host
from .identity import Identity, read_identity
from .pages import Answer, Page, read_page

log = logging.getLogger("pipeduck.client")
_T = TypeVar("_T")
_ATTEMPTS = 5
_RETRIED = (Unreachable, BurstLimited, ServerTrouble, BadAnswer)
_FINAL = (Blocked, BudgetSpent, Unauthorized)  # asking anything else would only make it worse


@dataclass
class Meter:
    """What reading one entity has cost so far: requests sent, tokens by the price list."""

    requests: int = 0
    tokens: int = 0


@dataclass(frozen=True)
class Token:
    """A personal API token (`x-api-token`) or an OAuth access token (`Authorization`)."""

    value: str = field(repr=False)
    is_oauth: bool = False

    def headers(self) -> dict[str, str]:
        """The header that carries the token (API: authentication page)."""
        if self.is_oauth:
            return {"Authorization": f"Bearer {self.value}"}
        return {"x-api-token": self.value}


class Client:
    """A connection to one Pipedrive host, safe to share between threads.

    `max_wait` caps every wait, in seconds (0: never wait, for tests); `timeout` is how long one
    answer may keep us; `daily_reserve` is the share of the day's tokens left to others.
    """

    def __init__(
        self,
        host: Host,
        token: Token,
        *,
        user_agent: str = "pipeduck",
        timeout: float = 60.0,
        max_wait: float = 60.0,
        daily_reserve: float = 0.0,
    ) -> None:
        _check_token(token)
        self.host = host
        self.meter = Meter()
        self._v1_prefix = host.v1_prefixes[0]
        self._max_wait = max_wait
        self._daily_reserve = daily_reserve
        self._token = token
        self._lock = threading.Lock()
        self._final: SourceError | None = None
        self._daily: tuple[int, int] | None = None  # limit and remaining, where headers tell
        self._http = httpx.Client(
            headers={"Accept": "application/json", "User-Agent": user_agent} | token.headers(),
            timeout=httpx.Timeout(timeout, connect=min(timeout, 15.0)),
        )

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
        self._http.close()

    def identify(self) -> Identity:
        """`users/me`: the user behind the token.

        Also settles under which prefix this host serves v1. Raises NotAllowed for a bad token.
        """
        for prefix in self.host.v1_prefixes:
            self._v1_prefix = prefix
            try:
                return self.ask("v1", "users/me", {}, USERS_ME_COST, self.meter, read_identity)
            except NotServed as error:
                missing = error
        raise missing

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
        prefix = "/api/v2" if api == "v2" else self._v1_prefix
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_RETRIED),
            stop=tenacity.stop_after_attempt(_ATTEMPTS),
            wait=self._wait,
            before_sleep=_log_wait,
            reraise=True,
        )
        url = f"{self.host.url}{prefix}/{path}"

        def attempt() -> _T:
            if self._final:
                raise self._final
            try:
                return read(self._ask_once(url, params, cost, meter))
            except SourceError as error:
                error.redact(self._token.value)
                if isinstance(error, _FINAL):
                    self._final = error
                raise

        return retrying(attempt)

    def _ask_once(
        self, url: str, params: Mapping[str, str | int], cost: int, meter: Meter
    ) -> Answer:
        self._keep_reserve(cost)
        asked = datetime.now(UTC)
        self._count(meter, requests=1)
        path = httpx.URL(url).path
        try:
            response = self._http.get(url, params=dict(params))
        except (httpx.InvalidURL, UnicodeError) as error:
            raise Misconfigured(f"{self.host.url} is not an address: {error}.") from error
        except httpx.HTTPError as error:
            raise _unreachable(self.host.url, error) from error
        log.debug("GET %s %s %s", path, dict(params), response.status_code)
        self._note_budget(response, cost if response.is_success else 0)
        if response.status_code >= 300:
            raise _refusal(path, _error_text(response), response)
        self._count(meter, tokens=cost)
        if "json" not in response.headers.get("content-type", "json"):
            raise BadAnswer(
                f"{path} answered with {response.headers['content-type']} instead of JSON.",
                "Usually passes by itself; if not, check base_url and any proxy in between.",
            )
        return Answer(response.content, asked, _server_time(response, asked))

    def _count(self, meter: Meter, requests: int = 0, tokens: int = 0) -> None:
        with self._lock:
            for counter in {id(m): m for m in (meter, self.meter)}.values():
                counter.requests += requests
                counter.tokens += tokens

    def _note_budget(self, response: httpx.Response, cost: int) -> None:
        """Remember what is left of the day: the header tells it before this request is charged.

        That is inferred from recordings; if it is wrong, we stop one request early.
        """
        limit = _whole_number(response, "x-daily-ratelimit-token-limit")
        remaining = _whole_number(response, "x-daily-ratelimit-token-remaining")
        if limit and remaining is not None:
            with self._lock:
                self._daily = (limit, remaining - cost)

    def _keep_reserve(self, cost: int) -> None:
        if self._daily is None or not self._daily_reserve:
            return
        limit, remaining = self._daily
        if remaining - cost < limit * self._daily_reserve:
            raise BudgetSpent(
                f"{remaining} of today's {limit} tokens are left, "
                f"and {self._daily_reserve:.0%} are reserved for others.",
                "What was loaded is kept. Run again when the day is over, or lower daily_reserve.",
            )

    def _wait(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = getattr(error, "retry_after", None)
        backoff = tenacity.wait_random_exponential(multiplier=1, max=30)(state)
        return min(self._max_wait, backoff if asked is None else asked)


def _check_token(token: Token) -> None:
    how = (
        "Copy it from Pipedrive (Settings > Personal preferences > API) and give it as "
        "SOURCES__PIPEDRIVE__API_TOKEN, or as api_token under [sources.pipedrive] in "
        ".dlt/secrets.toml."
    )
    if not token.value.strip():
        raise NoToken("No Pipedrive API token is configured.", how)
    if not token.value.isascii() or not token.value.isprintable() or " " in token.value:
        raise Unauthorized("The configured API token holds characters no token has.", how)


def _log_wait(state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    seconds = state.next_action.sleep if state.next_action else 0.0
    message = error.message if isinstance(error, SourceError) else str(error)
    log.warning("%s Trying again in %.1f s (%d).", message, seconds, state.attempt_number)


def _unreachable(url: str, error: httpx.HTTPError) -> Unreachable:
    reason = str(error) or type(error).__name__
    return Unreachable(
        f"{url} cannot be reached: {reason}.",
        "Check company_domain or base_url, and the network; nothing was lost.",
    )


def _refusal(path: str, text: str, response: httpx.Response) -> SourceError:
    """The error for a status of 300 and up (API: status codes and rate limiting pages)."""
    status = response.status_code
    if status == 401:
        return Unauthorized(
            f"Pipedrive does not accept the API token (401: {text}).",
            "Copy the token again from Settings > Personal preferences > API, and check that "
            "company_domain is the token's company.",
        )
    if status == 403 and "json" not in response.headers.get("content-type", ""):
        return Blocked(
            "Pipedrive's gateway has shut us out (403 with a web page) after too many requests.",
            "Wait some minutes before the next run, and run less often.",
        )
    if status in {402, 403}:
        is_collection = path.endswith("/collection")
        return Forbidden(
            f"The token may not read {path} ({status}: {text}).",
            "The collection endpoints are for global admins: use an admin's token, or v2."
            if is_collection
            else "Give the token's user the right to see it, or leave it out of resources.",
        )
    if status in {404, 405, 410, 501}:
        return NotServed(
            f"{response.request.url.host} does not serve {path} ({status}).",
            'Check base_url; with api = "auto" the other dialect is tried.',
        )
    if status == 429:
        return _rate_refusal(path, text, response)
    if status >= 500:
        return ServerTrouble(f"{path} failed on Pipedrive's side ({status}: {text}).")
    if status < 400:
        return Misconfigured(
            f"{path} answered with a redirect ({status}).",
            "Check base_url: redirects are not followed, so that the token stays with its host.",
        )
    return BadRequest(f"Pipedrive did not accept the request for {path} ({status}: {text}).")


def _rate_refusal(path: str, text: str, response: httpx.Response) -> SourceError:
    """A 429: for the day when the text or the header say so, else for the burst window."""
    remaining = _whole_number(response, "x-daily-ratelimit-token-remaining")
    if "daily" in text.lower() or remaining == 0:
        return BudgetSpent(
            f"The company's daily token budget is spent (429: {text}).",
            "It is refilled at midnight of Pipedrive's server; the next run after that goes on.",
        )
    error = BurstLimited(
        f"{path}: too many requests in two seconds (429).",
        "Lower concurrency, or leave it to the next run.",
    )
    waits = [_whole_number(response, name) for name in ("retry-after", "x-ratelimit-reset")]
    error.retry_after = next((float(w) for w in waits if w is not None), 2.0)
    return error


def _error_text(response: httpx.Response) -> str:
    """The `error` of a JSON body, in one line; otherwise the reason phrase."""
    try:
        body = response.json()
        text = body.get("error") if isinstance(body, dict) else None
    except ValueError:
        text = None
    line = " ".join(str(text or response.reason_phrase or "no reason given").split())
    return line[:200]


def _whole_number(response: httpx.Response, header: str) -> int | None:
    value = response.headers.get(header, "")
    return int(value) if value.isdecimal() else None


def _server_time(response: httpx.Response, otherwise: datetime) -> datetime:
    try:
        moment = parsedate_to_datetime(response.headers["date"])
    except (KeyError, ValueError):
        return otherwise
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
