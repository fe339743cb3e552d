"""Bytes to and from a host: the only module that imports httpx.

What never became an answer is told here, in our own errors; what an answer means is for others.
Redirects are not followed, so that a token stays with the host it is for.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx

from .errors import BadAnswer, Misconfigured, NoConnection, SourceError, Unreachable, Untrusted

_CONNECT_SECONDS = 15.0
_TRICKLE = 5  # an answer may take so many times the time-out, if it keeps coming
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_CHECK = "Check company_domain or base_url, and the network; nothing was lost."


@dataclass(frozen=True)
class Response:
    """Status, headers by lower-case name, and the whole body, decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        """2xx."""
        return 200 <= self.status < 300

    @property
    def is_json(self) -> bool:
        """Whether it says that it is JSON, or says nothing."""
        return "json" in self.headers.get("content-type", "json")

    @property
    def reason(self) -> str:
        """The usual words for the status."""
        return _PHRASES.get(self.status, "no reason given")

    def number(self, header: str) -> int | None:
        """A header that is a whole number, not negative; None for any other."""
        value = self.headers.get(header, "").strip()
        return int(value) if value.isdecimal() and value.isascii() and len(value) < 16 else None

    def server_time(self, otherwise: datetime) -> datetime:
        """The `Date` of the answer, in UTC."""
        try:
            moment = parsedate_to_datetime(self.headers["date"])
        except (KeyError, ValueError):
            return otherwise
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class Transport:
    """Connections, safe to share between threads.

    `timeout` is how many seconds of silence end an answer; one that trickles is ended after five
    times that. `clock` gives seconds that never go back.
    """

    def __init__(
        self, *, user_agent: str, timeout: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._longest = timeout * _TRICKLE
        self._clock = clock
        self._http = httpx.Client(
            headers={"Accept": "application/json", "User-Agent": user_agent},
            timeout=httpx.Timeout(timeout, connect=min(timeout, _CONNECT_SECONDS)),
        )

    def get(
        self, url: str, params: Mapping[str, str | int], headers: Mapping[str, str]
    ) -> Response:
        """The answer to a GET, whatever its status. Raises Misconfigured, Unreachable, BadAnswer.

        BadAnswer is for a body that cannot be decompressed.
        """
        return self._exchange("GET", url, headers, params=dict(params))

    def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Response:
        """The answer to a POST of a form. Raises as `get` does."""
        return self._exchange("POST", url, headers, form=dict(form))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        params: dict[str, str | int] | None = None,
        form: dict[str, str] | None = None,
    ) -> Response:
        end = self._clock() + self._longest
        try:
            with self._http.stream(
                method, url, params=params, data=form, headers=dict(headers)
            ) as answer:
                body = b"".join(self._until(end, answer.iter_bytes()))
                names = {name.lower(): value for name, value in answer.headers.items()}
                return Response(answer.status_code, names, body)
        except (httpx.InvalidURL, UnicodeError) as error:
            raise Misconfigured(f"{_host(url)} is not an address: {error}.") from error
        except httpx.HTTPError as error:
            raise _failure(_host(url), error) from error

    def _until(self, end: float, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            yield chunk
            if self._clock() > end:
                raise httpx.ReadTimeout(f"the answer took more than {self._longest:.0f} s")


def _failure(host: str, error: httpx.HTTPError) -> SourceError:
    """The error for an exchange that did not end in an answer."""
    reason = (str(error) or type(error).__name__).rstrip(".")
    causes = tuple(_causes(error))
    if isinstance(error, httpx.DecodingError):
        return BadAnswer(
            f"{host} answered with a body that cannot be decompressed: {reason}.",
            "Usually passes by itself; if not, check any proxy in between.",
            kind="undecodable",
        )
    if isinstance(error, httpx.ConnectError):
        if any(isinstance(x, ssl.SSLError) and not isinstance(x, _CUT) for x in causes):
            return Untrusted(
                f"{host} cannot be trusted: {reason}.",
                "Check base_url (https or http, port) and the certificates of this machine or of "
                "a proxy in between; nothing was sent.",
            )
        if any(isinstance(cause, socket.gaierror) for cause in causes):
            return NoConnection(f"{host} is not found: {reason}.", _CHECK, kind="no such host")
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError):
        return NoConnection(f"{host} cannot be reached: {reason}.", _CHECK)
    if isinstance(error, httpx.TimeoutException):
        return Unreachable(f"{host} did not answer in time: {reason}.", _CHECK, kind="timeout")
    return Unreachable(f"{host} cut the connection: {reason}.", _CHECK)


_CUT = (ssl.SSLEOFError, ssl.SSLZeroReturnError)  # closed during the handshake, as a busy host does


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _host(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"
