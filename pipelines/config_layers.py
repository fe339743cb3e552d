"""Where settings come from: `config.toml`, `.dlt/secrets.toml`, the environment."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .config_values import ENTITIES, KEYS

COLUMNS = "transforms.columns"
DLT_SECTIONS = frozenset(
    {"runtime", "extract", "normalize", "load", "data_writer", "destination", "pipeline"}
)
FILE, SECRETS, ENVIRONMENT = "config.toml", ".dlt/secrets.toml", "environment"
_PREFIXES = (
    *("SOURCES__PIPEDRIVE__", "WAREHOUSE__", "TRANSFORMS__"),
    *("RECONCILE__", "HISTORY__", "CHECKS__", "NOTIFY__"),
)


@dataclass(frozen=True)
class Layer:
    """What one place says: values by dotted name. `origin` is one of the three above."""

    origin: str
    values: Mapping[str, Any]

    def place(self, name: str) -> str:
        """Where exactly the value of `name` stands: a file, or a variable."""
        return environment_name(name) if self.origin == ENVIRONMENT else self.origin


def read_layers(
    file: Path, environment: Mapping[str, str], problems: list[str]
) -> tuple[Layer, ...]:
    """The three layers, the one that wins last. Adds what cannot be read to `problems`."""
    return (
        _file_layer(file, problems, is_secret=False),
        _file_layer(secrets_file(file.resolve().parent), problems, is_secret=True),
        _environment_layer(environment),
    )


def secrets_file(folder: Path) -> Path:
    """dlt's file of secrets of the project in `folder`."""
    return folder / ".dlt" / "secrets.toml"


def environment_name(name: str) -> str:
    """The environment variable of a key: `warehouse.path` is `WAREHOUSE__PATH`."""
    return name.replace(".", "__").upper()


def unknown(name: str, origin: str) -> str:
    """A sentence about a key that does not exist, with the nearest that does."""
    known = [*KEYS, *(f"{COLUMNS}.{entity}" for entity in ENTITIES)]
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    section, _, last = name.rpartition(".")
    in_section = [k for k in known if k.rpartition(".")[0] == section]
    by_name = difflib.get_close_matches(last, [k.rpartition(".")[2] for k in in_section], n=1)
    suggestion = f"{section}.{by_name[0]}" if by_name else (nearest[0] if nearest else "")
    hint = f" Did you mean {suggestion}?" if suggestion else ""
    return f"There is no key {name} ({origin}).{hint}"


def _file_layer(file: Path, problems: list[str], *, is_secret: bool) -> Layer:
    origin = SECRETS if is_secret else FILE
    if not file.is_file():
        return Layer(origin, {})
    try:
        document = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problems.append(f"{file} cannot be read: {error}.")
        return Layer(origin, {})
    found = {
        name: value
        for name, value in _flat(document)
        if name.partition(".")[0] not in DLT_SECTIONS
        and not (is_secret and name.partition(".")[0] not in _SECTIONS)
    }
    return Layer(origin, found)


def _flat(document: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted names and values; an empty known table yields nothing."""
    for name, value in document.items():
        full = f"{prefix}{name}"
        if isinstance(value, Mapping) and full not in KEYS:
            if not value and full not in _TABLES:
                yield full, value
            yield from _flat(value, f"{full}.")
        else:
            yield full, value


_TABLES = frozenset(
    {
        *(".".join(name.split(".")[:depth]) for name in KEYS for depth in range(1, 4)),
        "transforms",
        COLUMNS,
        *(f"{COLUMNS}.{entity}" for entity in ENTITIES),
        "export",
    }
) - frozenset(KEYS)
_SECTIONS = frozenset(name.partition(".")[0] for name in _TABLES)


def _environment_layer(env: Mapping[str, str]) -> Layer:
    """Every variable that begins like one of our sections, known or not."""
    found = {}
    for variable, text in env.items():
        if variable.startswith(_PREFIXES):
            found[variable.replace("__", ".").lower()] = text
    return Layer(ENVIRONMENT, found)
