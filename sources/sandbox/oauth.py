"""The token endpoint: access tokens for an app, by refresh token.

https://pipedrive.readme.io/docs/marketplace-oauth-authorization. Whether refresh tokens rotate is
not documented: an option. The caller holds the account's lock.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

import orjson

from sources.sandbox.account import Account
from sources.sandbox.answers import Answer

PATH = "/oauth/token"
SCOPE = "base contacts:read deals:read leads:read recents:read users:read"


@dataclass(slots=True)
class _Access:
    until: datetime
    requests_left: int | None


class OAuth:
    """An app that a user of the account has authorized, and the tokens it was given."""

    def __init__(self, account: Account) -> None:
        options = account.options
        self.account = account
        self.client_id = f"app{options.seed}"
        self.client_secret = _made_up(f"secret {options.seed}")
        self.refresh_token = f"{options.seed}:{_made_up(f'refresh {options.seed}')}"
        self.is_revoked = False
        self.issued: list[str] = []
        """Access tokens in the order they were given out."""
        self._good: dict[str, _Access] = {}

    def expire(self) -> None:
        """End every access token."""
        self._good.clear()

    def lets_in(self, authorization: str | None) -> bool:
        """Whether a header shows an access token that is still good, and count its use."""
        access = self._good.get((authorization or "").removeprefix("Bearer "))
        if access is None or access.until <= self.account.now or access.requests_left == 0:
            return False
        if access.requests_left is not None:
            access.requests_left -= 1
        return True

    def answer(self, authorization: str | None, body: bytes, url: str) -> Answer:
        """Answer a request for tokens; `url` is told as the company's address."""
        form = dict(parse_qsl(body.decode("latin-1")))
        app = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        if authorization != f"Basic {app}":
            return _refused(401, "invalid_client", "Client authentication failed")
        if form.get("grant_type") != "refresh_token":
            return _refused(400, "unsupported_grant_type", "Only refresh_token is served here")
        if self.is_revoked or form.get("refresh_token") != self.refresh_token:
            return _refused(400, "invalid_grant", "Invalid grant: refresh token is invalid")
        options = self.account.options
        number = len(self.issued) + 1
        token = f"v1u:{_made_up(f'access {options.seed} {number}')}"
        self.issued.append(token)
        self._good[token] = _Access(
            self.account.now + timedelta(seconds=options.oauth_expires_in),
            options.oauth_requests or None,
        )
        if options.oauth_rotates:
            self.refresh_token = f"{options.seed}:{_made_up(f'refresh {options.seed} {number}')}"
        answer = {
            "access_token": token,
            "token_type": "Bearer",
            "refresh_token": self.refresh_token,
            "scope": SCOPE,
            "expires_in": options.oauth_expires_in,
            "api_domain": url,
        }
        return Answer(body=orjson.dumps(answer))


def _refused(status: int, error: str, message: str) -> Answer:
    return Answer(
        status, orjson.dumps({"success": False, "error": error, "error_description": message})
    )


def _made_up(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
