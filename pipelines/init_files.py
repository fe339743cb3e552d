"""The files that `pipeduck init` writes: settings, the token, what git is to leave alone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from warehouse.files import replace_file, write_private

from .config_layers import secrets_file
from .config_values import KEYS
from .config_written import config_text
from .errors import ConfigError

_DEFAULTS = {key: KEYS[f"warehouse.{key}"].default for key in ("path", "publish")}


def write_project(file: Path, values: Mapping[str, Any], token: str) -> list[str]:
    """All files, the secret first; a sentence about each. Raises ConfigError."""
    folder = file.resolve().parent
    told = []
    try:
        if token:
            told.append(_write_token(secrets_file(folder), token))
        beside = file.with_name(f".{file.name}.{os.getpid()}.new")
        beside.write_text(config_text(values), "utf-8")
        if not file.exists():
            file.touch()  # its mode is that of this user's files, not of published ones
        replace_file(beside, file)
        told.append(f"wrote {file}")
        data = {folder / values.get(f"warehouse.{key}", _DEFAULTS[key]) for key in _DEFAULTS}
        ignored = _ignore(folder, sorted({path.parent for path in data}))
    except OSError as error:
        raise ConfigError(
            f"{error.filename or folder} cannot be written: {error.strerror}.",
            "Choose another folder.",
        ) from error
    return told + ignored


def _write_token(file: Path, token: str) -> str:
    """Put the token into dlt's file of secrets; what else is there stays."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(file.read_text("utf-8") if file.exists() else "")
        source = document.setdefault("sources", tomlkit.table(is_super_table=True))
        source.setdefault("pipedrive", tomlkit.table())["api_token"] = token
    except (TOMLKitError, UnicodeDecodeError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"{file} cannot be read: {error}.", "Mend it or move it away, then again."
        ) from error
    file.parent.mkdir(mode=0o700, exist_ok=True)
    write_private(file, tomlkit.dumps(document))
    return f"wrote {file}, readable by you alone"


def _ignore(folder: Path, data: list[Path]) -> list[str]:
    """Keep data and secrets out of a git repository, where this is one."""
    if not any((place / ".git").exists() for place in (folder, *folder.parents)):
        return []
    wanted = ["/.dlt/secrets.toml"]
    for place in data:
        if place == folder:
            wanted += ["/*.duckdb*", "/.*.duckdb*", "/.*.dlt/"]
        elif place.is_relative_to(folder):
            wanted.append(f"/{place.relative_to(folder).as_posix()}/")
    file = folder / ".gitignore"
    text = file.read_text("utf-8") if file.exists() else ""
    known = {line.strip().strip("/") for line in text.splitlines()}
    missing = [line for line in dict.fromkeys(wanted) if line.strip("/") not in known]
    if not missing:
        return []
    gap = "" if not text or text.endswith("\n") else "\n"
    file.write_text(f"{text}{gap}{''.join(f'{line}' + chr(10) for line in missing)}", "utf-8")
    return [f"added {', '.join(missing)} to {file}"]
