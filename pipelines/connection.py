"""The client of a run, as the settings want it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version

from sources.pipedrive.client import Client, OAuth, Token, Trouble
from sources.pipedrive.hosts import find_host

from .config import Settings
from .refresh_tokens import keep, newest


def open_client(
    settings: Settings,
    on_trouble: Callable[[Trouble], None] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Client:
    """A connection to the configured host; `on_trouble` is told of failed requests and waits.

    `sleep` is how it waits: that of a run ends early when the run is to stop.

    With OAuth and neither domain nor address the host is the one that comes with the access
    token. Raises Misconfigured, NoToken, Unauthorized.
    """
    source = settings.source
    is_told_by_token = source.is_oauth and not (source.company_domain or source.base_url)
    return Client(
        None if is_told_by_token else find_host(source.company_domain, source.base_url),
        _credentials(settings),
        user_agent=f"pipeduck/{version('pipeduck')}",
        timeout=source.timeout.total_seconds(),
        max_wait=source.max_wait.total_seconds(),
        daily_reserve=source.daily_reserve,
        on_trouble=on_trouble,
        sleep=sleep,
    )


def _credentials(settings: Settings) -> Token | OAuth:
    source = settings.source
    if not source.is_oauth:
        return Token(source.api_token)
    return OAuth(
        source.client_id,
        source.client_secret,
        newest(settings),
        store=partial(keep, settings),
        url=source.oauth_url,
    )
