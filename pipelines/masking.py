"""What may be shown of a secret, and taking secrets out of text."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

from .config import Settings
from .config_values import Key, as_toml

_SHORTEST = 16  # characters: of less than that, four tell too much
_LEAST = 8  # anything shorter is part of many words


def masked(value: str) -> str:
    """That a secret is set, and its last four characters; of a short one nothing."""
    return f"***{value[-4:]}" if len(value) >= _SHORTEST else "set"


def masked_address(value: str) -> str:
    """Scheme and host of an address; path, query and user may hold a secret."""
    parts = urlsplit(value)
    return f"{parts.scheme}://{parts.hostname}/***"


def shown_value(key: Key, value: object) -> str:
    """The value of a key as it stands in config.toml, with nothing secret in it."""
    if key.is_hidden and value:
        return (masked if key.is_secret else masked_address)(str(value))
    if isinstance(value, str) and "://" in value and "@" in value:
        parts = urlsplit(value)
        host = parts.netloc.rpartition("@")[2]
        return as_toml(urlunsplit(parts._replace(netloc=f"***@{host}")))
    return as_toml(value)


def secrets_of(settings: Settings) -> Iterator[str]:
    """The secret values that are configured."""
    source, notify = settings.source, settings.notify
    found = (
        *(source.api_token, source.client_id, source.client_secret, source.refresh_token),
        *(settings.warehouse.encryption_key, notify.webhook, notify.healthcheck),
    )
    yield from (value for value in found if len(value) >= _LEAST)


def without_secrets(text: str, settings: Settings) -> str:
    """`text` with every configured secret taken out."""
    for secret in secrets_of(settings):
        text = text.replace(secret, "***")
    return text
