"""OAuth refresh tokens that Pipedrive has replaced: kept where the first one came from.

Whether a refresh token is replaced when it is used is not documented, so every new one is kept.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from warehouse.files import write_private

from .config import Settings
from .config_layers import SECRETS, secrets_file

_KEY = "sources.pipedrive.refresh_token"


def newest(settings: Settings) -> str:
    """The refresh token to use: the configured one, or the one that has replaced it since."""
    configured = settings.source.refresh_token
    try:
        kept = json.loads(_beside(settings).read_text("utf-8"))
        is_its_successor = kept["replaces"] == _digest(configured)
        return str(kept["refresh_token"]) if is_its_successor else configured
    except (OSError, ValueError, KeyError, TypeError):
        return configured


def keep(settings: Settings, token: str) -> None:
    """Keep a new refresh token. Raises OSError.

    In `.dlt/secrets.toml` it takes the place of the old one. A variable cannot be changed from
    here: what replaces it is beside the working file, and counts as long as the variable is the
    same.
    """
    if settings.origins.get(_KEY) == SECRETS:
        import tomlkit

        file = secrets_file(settings.folder)
        document = tomlkit.parse(file.read_text("utf-8"))
        document["sources"]["pipedrive"]["refresh_token"] = token
        write_private(file, tomlkit.dumps(document))
        return
    kept = {"replaces": _digest(settings.source.refresh_token), "refresh_token": token}
    write_private(_beside(settings), json.dumps(kept))


def _beside(settings: Settings) -> Path:
    path = settings.warehouse.path
    return path.with_name(f".{path.name}.refresh-token.json")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
