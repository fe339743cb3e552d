"""Settings: `config.toml`, `.dlt/secrets.toml` and the environment, typed and checked.

dlt's rules hold: environment over secrets over file, `SOURCES__PIPEDRIVE__API_TOKEN` for
`api_token` under `[sources.pipedrive]`, no secret in `config.toml`. They are applied here once
more, because importing dlt costs over a second that `query` and `status` need not pay, and
because dlt ignores unknown keys: here each is an error that names the nearest key.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from .config_values import KEYS, TABLES, Invalid
from .errors import ConfigError

DLT_SECTIONS = frozenset(
    {"runtime", "extract", "normalize", "load", "data_writer", "destination", "pipeline"}
)
ENTITIES = ("leads", "persons", "organizations", "deals")
_COLUMNS = "transforms.columns"


@dataclass(frozen=True)
class SourceSettings:
    """`[sources.pipedrive]`."""

    api_token: str = field(repr=False)
    company_domain: str
    base_url: str
    api: Literal["auto", "v2", "collection"]
    start_date: datetime | None
    resources: tuple[str, ...]
    page_size: int
    package_rows: int
    overlap: timedelta
    full_listing_pages: int
    concurrency: int
    daily_reserve: float
    timeout: timedelta
    max_wait: timedelta
    cadence: Mapping[str, timedelta]


@dataclass(frozen=True)
class WarehouseSettings:
    """`[warehouse]`: both paths are absolute."""

    path: Path
    publish: Path
    memory_limit: str


@dataclass(frozen=True)
class ReconcileSettings:
    """`[reconcile]`: how often each public table is listed whole, and how much may be missing."""

    every: Mapping[str, timedelta]
    max_share: float
    max_rows: int


@dataclass(frozen=True)
class Settings:
    """Everything that is configured. `folder` is where `config.toml` is, or would be."""

    folder: Path
    file: Path | None
    source: SourceSettings
    warehouse: WarehouseSettings
    reconcile: ReconcileSettings
    columns: Mapping[str, Mapping[str, str]]
    """`[transforms.columns.<entity>]`: column name by field key."""
    history: tuple[Literal["leads", "persons", "organizations", "deals"], ...]
    """`[history]`: the entities whose versions are kept."""
    max_rejected_share: float
    """`[checks]`: see docs/checks.md."""


def load_settings(
    file: Path | None = None, environment: Mapping[str, str] | None = None
) -> Settings:
    """The settings of `file`, else of `./config.toml`, else of the environment alone.

    Raises ConfigError with every problem found, not only the first.
    """
    env = os.environ if environment is None else environment
    if file is not None and not file.is_file():
        raise ConfigError(f"There is no configuration file {file}.", "Check --config.")
    chosen = file or Path("config.toml")
    folder = chosen.resolve().parent
    problems: list[str] = []
    values, columns = _defaults(), {entity: dict[str, str]() for entity in ENTITIES}
    layers = (
        _file_layer(chosen, problems, is_secret=False),
        _file_layer(folder / ".dlt" / "secrets.toml", problems, is_secret=True),
        _environment_layer(env),
    )
    for origin, found in layers:
        for name, value in found.items():
            _take(name, value, origin, values, columns, problems)
    settings = _typed(values, columns, folder, chosen if chosen.is_file() else None)
    if settings.warehouse.path.resolve() == settings.warehouse.publish.resolve():
        problems.append("warehouse.path and warehouse.publish are the same file: they must differ.")
    if problems:
        raise ConfigError("\n".join(problems), "docs/configuration.md lists every key.")
    return settings


def _take(
    name: str,
    value: Any,
    origin: str,
    values: dict[str, Any],
    columns: dict[str, dict[str, str]],
    problems: list[str],
) -> None:
    """Put one configured value where it belongs, or say what is wrong with it."""
    if name.startswith(_COLUMNS + "."):
        _take_column(name, value, origin, columns, problems)
        return
    key = KEYS.get(name)
    if key is None:
        problems.append(_unknown(name, origin))
    elif key.is_secret and origin == "config.toml":
        problems.append(
            f"{name} is a secret and may not stand in config.toml: move it to "
            f".dlt/secrets.toml or {environment_name(name)}."
        )
    else:
        try:
            values[name] = key.read(value)
        except Invalid as error:
            shown = "it" if key.is_secret else repr(value)
            problems.append(f"{name} ({origin}): {shown} is not {error}.")


def _take_column(
    name: str,
    value: Any,
    origin: str,
    columns: dict[str, dict[str, str]],
    problems: list[str],
) -> None:
    entity, _, key = name.removeprefix(_COLUMNS + ".").partition(".")
    if entity not in columns:
        problems.append(_unknown(f"{_COLUMNS}.{entity}", origin))
    elif not key and isinstance(value, Mapping) and not value:
        return
    elif not key or not isinstance(value, str):
        problems.append(f'{name} ({origin}): it is "<key>" = "<column>", both text.')
    else:
        columns[entity][key] = value


def _unknown(name: str, origin: str) -> str:
    known = [*KEYS, *(f"{_COLUMNS}.{entity}" for entity in ENTITIES)]
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    section, _, last = name.rpartition(".")
    in_section = [k for k in known if k.rpartition(".")[0] == section]
    by_name = difflib.get_close_matches(last, [k.rpartition(".")[2] for k in in_section], n=1)
    suggestion = f"{section}.{by_name[0]}" if by_name else (nearest[0] if nearest else "")
    hint = f" Did you mean {suggestion}?" if suggestion else ""
    return f"There is no key {name} ({origin}).{hint}"


def _defaults() -> dict[str, Any]:
    return {name: key.default for name, key in KEYS.items()}


def _file_layer(file: Path, problems: list[str], *, is_secret: bool) -> tuple[str, dict[str, Any]]:
    origin = ".dlt/secrets.toml" if is_secret else "config.toml"
    if not file.is_file():
        return origin, {}
    try:
        document = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problems.append(f"{file} cannot be read: {error}.")
        return origin, {}
    return origin, {
        name: value
        for name, value in _flat(document)
        if name.partition(".")[0] not in DLT_SECTIONS
        and not (is_secret and name.partition(".")[0] not in _SECTIONS)
    }


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
        _COLUMNS,
        *(f"{_COLUMNS}.{entity}" for entity in ENTITIES),
        "export",
        "notify",
    }
) - frozenset(KEYS)
_SECTIONS = frozenset(name.partition(".")[0] for name in _TABLES)


def environment_name(name: str) -> str:
    """The environment variable of a key: `warehouse.path` is `WAREHOUSE__PATH`."""
    return name.replace(".", "__").upper()


def _environment_layer(env: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """Every variable that begins like one of our sections, known or not."""
    prefixes = (
        *("SOURCES__PIPEDRIVE__", "WAREHOUSE__", "TRANSFORMS__"),
        *("RECONCILE__", "HISTORY__", "CHECKS__"),
    )
    found = {}
    for variable, text in env.items():
        if variable.startswith(prefixes):
            found[variable.replace("__", ".").lower()] = text
    return "environment", found


def _typed(
    values: dict[str, Any],
    columns: dict[str, dict[str, str]],
    folder: Path,
    file: Path | None,
) -> Settings:
    def section(prefix: str) -> dict[str, Any]:
        return {
            name.removeprefix(prefix): value
            for name, value in values.items()
            if name.startswith(prefix) and "." not in name.removeprefix(prefix)
        }

    warehouse, reconcile = section("warehouse."), section("reconcile.")
    return Settings(
        folder=folder,
        file=file,
        source=SourceSettings(
            **section("sources.pipedrive."), cadence=section("sources.pipedrive.cadence.")
        ),
        warehouse=WarehouseSettings(
            path=folder / warehouse["path"],
            publish=folder / warehouse["publish"],
            memory_limit=warehouse["memory_limit"],
        ),
        reconcile=ReconcileSettings(
            every={
                table: reconcile["every"] if reconcile[table] is None else reconcile[table]
                for table in TABLES
            },
            max_share=reconcile["max_share"],
            max_rows=reconcile["max_rows"],
        ),
        columns=columns,
        history=values["history.entities"],
        max_rejected_share=values["checks.max_rejected_share"],
    )
