"""Where requests go: host and the prefix of each API version.

A company host serves v1 under `/api/v1`, `api.pipedrive.com` under `/v1`; v2 is `/api/v2` on both
(API: requests page, migration guide; a connector met 404 on `/api/v1` at api.pipedrive.com).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from .errors import Misconfigured

_COMPANY = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?", re.IGNORECASE)


@dataclass(frozen=True)
class Host:
    """An address without a trailing slash, and the v1 prefixes to try on it, likeliest first."""

    url: str
    v1_prefixes: tuple[str, ...]


def find_host(company_domain: str, base_url: str) -> Host:
    """The host of a company domain (`acme`, `acme.pipedrive.com`), or of a base URL, which wins.

    Raises Misconfigured when neither is given or one is no address.
    """
    if base_url:
        return _from_url(base_url)
    company = company_domain.strip().removeprefix("https://").rstrip("/")
    company = company.removesuffix(".pipedrive.com")
    if not company:
        raise Misconfigured(
            "No Pipedrive company is configured.",
            'Set company_domain = "acme" under [sources.pipedrive] in config.toml '
            "(the first part of acme.pipedrive.com), or SOURCES__PIPEDRIVE__COMPANY_DOMAIN.",
        )
    if not _COMPANY.fullmatch(company):
        raise Misconfigured(
            f"company_domain {company_domain!r} is not a Pipedrive company.",
            "It is the first part of the address you log in at: acme for acme.pipedrive.com.",
        )
    return Host(f"https://{company.lower()}.pipedrive.com", ("/api/v1",))


def _from_url(base_url: str) -> Host:
    try:
        parts = urlsplit(base_url.strip())
        is_address = parts.port is None or parts.port > 0
    except ValueError:
        is_address = False
    if not is_address or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Misconfigured(
            f"base_url {base_url!r} is not an address.",
            "It looks like https://acme.pipedrive.com or http://127.0.0.1:8899.",
        )
    if parts.query or parts.fragment or parts.username or parts.password:
        raise Misconfigured(
            "base_url may hold a host and a path, no user, query or fragment.",
            "The token belongs in SOURCES__PIPEDRIVE__API_TOKEN, never in an address.",
        )
    url = base_url.strip().rstrip("/")
    if parts.hostname == "api.pipedrive.com":
        return Host(url, ("/v1",))
    if parts.hostname.endswith(".pipedrive.com"):
        return Host(url, ("/api/v1",))
    return Host(url, ("/v1", "/api/v1"))  # a sandbox or proxy may imitate either kind of host
