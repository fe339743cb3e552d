"""`pipeduck config show`: each key, its value, where that comes from, and what is wrong."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, TextIO

from warehouse.files import find_wide

from .config import Configuration
from .config_layers import secrets_file
from .config_values import KEYS, as_toml
from .masking import shown_value


@dataclass(frozen=True)
class ShownKey:
    """One key. `value` is TOML, masked where the key is secret, None where it cannot be used."""

    key: str
    value: str | None
    origin: str
    is_secret: bool


@dataclass(frozen=True)
class ShownConfiguration:
    """What `config show` tells. `file` is None where there is no config.toml."""

    file: str | None
    keys: tuple[ShownKey, ...]
    problems: tuple[str, ...]
    warnings: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def show_configuration(found: Configuration) -> ShownConfiguration:
    """The configuration as it may be shown to anybody, usable or not."""
    keys = [
        ShownKey(
            name,
            None if name in found.unusable else shown_value(key, found.values[name]),
            found.origins.get(name, "default"),
            key.is_hidden,
        )
        for name, key in KEYS.items()
    ]
    for entity, columns in found.columns.items():
        for field_key, column in columns.items():
            name = f"transforms.columns.{entity}.{field_key}"
            keys.append(ShownKey(name, as_toml(column), found.origins[name], False))
    return ShownConfiguration(
        file=str(found.file.resolve()) if found.file.is_file() else None,
        keys=tuple(keys),
        problems=tuple(found.problems),
        warnings=tuple(find_wide(secrets_file(found.folder))),
    )


def print_shown(found: ShownConfiguration, stream: TextIO) -> None:
    """The configuration for a person: key, value, origin in columns."""
    stream.write(f"# {found.file or 'no config.toml here'}\n")
    names = max(len(entry.key) for entry in found.keys)
    values = max(len(entry.value or "") for entry in found.keys)
    for entry in found.keys:
        value = "not usable" if entry.value is None else entry.value
        stream.write(f"{entry.key:<{names}}  {value:<{values}}  {entry.origin}\n")
