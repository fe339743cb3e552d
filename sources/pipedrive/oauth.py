"""OAuth: an access token that lasts an hour, got and renewed with a refresh token.

`POST https://oauth.pipedrive.com/oauth/token`, a form, with the app's id and secret as Basic
authorization (API: OAuth authorization page). The answer may hold another refresh token than the
one that was shown; whether it does is not documented, so whatever comes is kept.
"""

from __future__ import annotations

import base64
import logging
import threading
import time
from collections.abc import Callable, Mapping
from copy import copy

import msgspec

from .credentials import Post, can_be_token
from .errors import BadAnswer, NoToken, SourceError, Unauthorized
from .refusals import error_text, refusal
from .transport import Response

log = logging.getLogger("pipeduck.client")
TOKEN_URL = "https://oauth.pipedrive.com/oauth/token"  # noqa: S105 - an address, no secret
_AHEAD = 60.0  # seconds before its end that an access token is renewed
_AGAIN = (
    "Authorize the app again and set the new refresh_token under [sources.pipedrive] in "
    ".dlt/secrets.toml or SOURCES__PIPEDRIVE__REFRESH_TOKEN."
)
_APP = "Check client_id and client_secret: they are those of the app in Pipedrive's Developer Hub."


class _Answer(msgspec.Struct):
    access_token: str
    refresh_token: str = ""
    expires_in: float = 3599.0
    api_domain: str = ""


class OAuth:
    """The credentials of an app that a user has authorized.

    `store` gets every refresh token that is new, to be there for the next process; `clock` gives
    seconds that never go back. Raises NoToken when one of the three is missing, Unauthorized when
    one can be none.
    """

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        refresh_token: str,
        *,
        store: Callable[[str], None] | None = None,
        url: str = TOKEN_URL,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        given = {
            "client_id": client_id,
            "client_secret": client_secret,
            "refresh_token": refresh_token,
        }
        missing = [name for name, value in given.items() if not value.strip()]
        if missing:
            raise NoToken(
                f"OAuth is configured without {' and '.join(missing)}.",
                "It takes client_id, client_secret and refresh_token; a personal api_token "
                "needs none of them.",
            )
        for name, value in given.items():
            if not can_be_token(value):
                raise Unauthorized(f"The configured {name} holds characters none has.", _APP)
        basic = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
        self._url = url
        self._store = store
        self._clock = clock
        self._basic = basic
        self._refresh_token = self._stored = refresh_token
        self._secrets = {client_secret, basic, refresh_token}
        self._access_token = ""
        self._api_domain = ""
        self._good_until = 0.0
        self._refused: SourceError | None = None
        self._lock = threading.RLock()

    @property
    def secrets(self) -> tuple[str, ...]:
        """The app's secret and every token seen so far."""
        with self._lock:
            return tuple(self._secrets)

    @property
    def hint(self) -> str:
        """What to do when a fresh access token is not accepted."""
        return f"The access token is fresh: the app may have been uninstalled. {_AGAIN}"

    @property
    def api_domain(self) -> str:
        """The company's address as the last answer told it; empty before the first one."""
        return self._api_domain

    def headers(self, post: Post) -> dict[str, str]:
        """The header with an access token that is good for a while; gets one where needed.

        One thread asks, the others wait for what it gets. Raises Unauthorized when the refresh
        token or the app is not accepted, TryLater when the token endpoint is in trouble.
        """
        with self._lock:
            if not self._access_token or self._clock() >= self._good_until:
                self._refresh(post)
            return {"Authorization": f"Bearer {self._access_token}"}

    def renew(self, used: Mapping[str, str]) -> bool:
        """Forget the access token these headers show, unless another thread has renewed it."""
        with self._lock:
            if used.get("Authorization") == f"Bearer {self._access_token}":
                self._good_until = self._clock()
            return True

    def _refresh(self, post: Post) -> None:
        if self._refused:
            raise copy(self._refused)
        form = {"grant_type": "refresh_token", "refresh_token": self._refresh_token}
        response = post(self._url, form, {"Authorization": f"Basic {self._basic}"})
        try:
            answer = self._read(response)
        except Unauthorized as error:
            error.redact(self._secrets)
            self._refused = error
            raise
        self._access_token = answer.access_token
        self._api_domain = answer.api_domain or self._api_domain
        ahead = min(_AHEAD, answer.expires_in / 10)
        self._good_until = self._clock() + answer.expires_in - ahead
        self._refresh_token = answer.refresh_token or self._refresh_token
        self._secrets |= {self._access_token, self._refresh_token}
        log.info("A new access token is good for %.0f s.", answer.expires_in)
        self._keep()

    def _read(self, response: Response) -> _Answer:
        if response.status in {400, 401}:
            raise _refused(error_text(response), response.status)
        error = refusal(self._url, response)
        if error:
            raise error
        try:
            answer = msgspec.json.decode(response.body, type=_Answer, strict=False)
        except (msgspec.DecodeError, UnicodeDecodeError):
            answer = None  # what could not be read may be shown nowhere: it may hold a token
        tokens = (answer.access_token, answer.refresh_token or "none") if answer else ("",)
        if answer is None or not all(can_be_token(token) for token in tokens):
            raise BadAnswer(
                "Pipedrive's token endpoint answered without an access token.",
                "Usually passes by itself; if not, check any proxy in between.",
            )
        return answer

    def _keep(self) -> None:
        """Hand a new refresh token to `store`; again the next time, where that failed."""
        if self._store is None or self._refresh_token == self._stored:
            return
        try:
            self._store(self._refresh_token)
        except Exception as error:  # this run can go on: it has the token
            log.error(  # noqa: TRY400 - the error's text may hold the token
                "The new OAuth refresh token could not be stored (%s). %s",
                type(error).__name__,
                "The next run may need a new one: " + _AGAIN,
            )
        else:
            self._stored = self._refresh_token


def _refused(text: str, status: int) -> Unauthorized:
    if "client" in text.lower():
        return Unauthorized(
            f"Pipedrive does not know the OAuth app ({status}: {text}).",
            _APP,
            kind="oauth",
            status=status,
        )
    return Unauthorized(
        f"Pipedrive does not accept the OAuth refresh token ({status}: {text}): it was revoked, "
        "replaced by a newer one, or not used for 60 days.",
        _AGAIN,
        kind="oauth",
        status=status,
    )
