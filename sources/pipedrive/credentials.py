"""What a request shows to be let in: a token, or something that gets one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from .errors import NoToken, Unauthorized
from .transport import Response

Post = Callable[[str, Mapping[str, str], Mapping[str, str]], Response]
"""Sends a form: address, fields, headers."""


class Credentials(Protocol):
    """Safe to share between threads; never shows a secret in `repr`."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """Everything that must appear in no error and no log line."""

    @property
    def hint(self) -> str:
        """What to do when Pipedrive does not accept it."""

    @property
    def api_domain(self) -> str:
        """The address of the company, where the credentials tell; else empty."""

    def headers(self, post: Post) -> Mapping[str, str]:
        """The headers of a request. Raises SourceError when there is no way to get them."""

    def renew(self, used: Mapping[str, str]) -> bool:
        """After a 401 with these headers: whether asking for new ones may help."""


@dataclass(frozen=True)
class Token:
    """A personal API token (`x-api-token`), or an OAuth access token without a way to renew it.

    Raises NoToken, Unauthorized for one that cannot be any.
    """

    value: str = field(repr=False)
    is_oauth: bool = False
    api_domain: ClassVar[str] = ""
    hint: ClassVar[str] = (
        "Copy the token again from Settings > Personal preferences > API, and check that "
        "company_domain is the token's company."
    )

    def __post_init__(self) -> None:
        how = (
            "Copy it from Pipedrive (Settings > Personal preferences > API) and give it as "
            "SOURCES__PIPEDRIVE__API_TOKEN, or as api_token under [sources.pipedrive] in "
            ".dlt/secrets.toml."
        )
        if not self.value.strip():
            raise NoToken("No Pipedrive API token is configured.", how)
        if not can_be_token(self.value):
            raise Unauthorized("The configured API token holds characters no token has.", how)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The token."""
        return (self.value,)

    def headers(self, post: Post) -> dict[str, str]:  # noqa: ARG002 - what it shows, it has
        """The header that carries the token (API: authentication page)."""
        if self.is_oauth:
            return {"Authorization": f"Bearer {self.value}"}
        return {"x-api-token": self.value}

    def renew(self, used: Mapping[str, str]) -> bool:  # noqa: ARG002 - there is only this one
        """Never."""
        return False


def can_be_token(text: str) -> bool:
    """Whether a header can carry it: printable ASCII without spaces."""
    return bool(text) and text.isascii() and text.isprintable() and " " not in text
