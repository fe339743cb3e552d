"""Settings: `config.toml`, `.dlt/secrets.toml` and the environment, typed and checked.

dlt's rules hold: environment over secrets over file, `SOURCES__PIPEDRIVE__API_TOKEN` for
`api_token` under `[sources.pipedrive]`, no secret in `config.toml`. They are applied here once
more, because importing dlt costs over a second that `query` and `status` need not pay, and
because dlt ignores unknown keys: here each is an error that names the nearest key.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from .config_layers import COLUMNS, FILE, Layer, environment_name, read_layers, unknown
from .config_values import ENTITIES, KEYS, TABLES, Invalid
from .errors import ConfigError

_TOKEN = "sources.pipedrive.api_token"  # noqa: S105 - the name of a key, not its value
_OAUTH = tuple(
    f"sources.pipedrive.{key}" for key in ("client_id", "client_secret", "refresh_token")
)


@dataclass(frozen=True)
class SourceSettings:
    """`[sources.pipedrive]`."""

    api_token: str = field(repr=False)
    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)
    oauth_url: str
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

    @property
    def is_oauth(self) -> bool:
        """Whether an OAuth app is configured in place of a personal token."""
        return bool(self.client_id and self.client_secret and self.refresh_token)


@dataclass(frozen=True)
class WarehouseSettings:
    """`[warehouse]`: both paths are absolute."""

    path: Path
    publish: Path
    memory_limit: str
    encryption_key: str = field(repr=False)


@dataclass(frozen=True)
class ReconcileSettings:
    """`[reconcile]`: how often each public table is listed whole, and how much may be missing."""

    every: Mapping[str, timedelta]
    max_share: float
    max_rows: int


@dataclass(frozen=True)
class NotifySettings:
    """`[notify]`: who is told how a run ended. The addresses are secrets; `metrics` is absolute."""

    webhook: str = field(repr=False)
    healthcheck: str = field(repr=False)
    metrics: Path | None
    on: tuple[Literal["success", "partial", "later", "failure"], ...]


@dataclass(frozen=True)
class Settings:
    """Everything that is configured. `folder` is where `config.toml` is, or would be."""

    folder: Path
    file: Path | None
    origins: Mapping[str, str]
    """Where each key that is set stands: `config.toml`, `.dlt/secrets.toml`, or its variable."""
    source: SourceSettings
    warehouse: WarehouseSettings
    reconcile: ReconcileSettings
    columns: Mapping[str, Mapping[str, str]]
    """`[transforms.columns.<entity>]`: column name by field key."""
    history: tuple[Literal["leads", "persons", "organizations", "deals"], ...]
    """`[history]`: the entities whose versions are kept."""
    max_rejected_share: float
    """`[checks]`: see docs/checks.md."""
    notify: NotifySettings


def check_place(settings: Settings) -> None:
    """Raises ConfigError for a working file that cannot be loaded into where it is."""
    path = settings.warehouse.path
    if "%" in str(path):  # dlt makes the names of its files with the % operator
        raise ConfigError(
            f"The working file {path} has a % in its path, where dlt cannot write.",
            "Set path under [warehouse] to another place.",
        )


@dataclass
class Configuration:
    """What is configured, usable or not: typed values, where each came from, what is wrong."""

    file: Path
    values: dict[str, Any]
    columns: dict[str, dict[str, str]]
    origins: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    unusable: set[str] = field(default_factory=set)
    """Keys whose value does not fit; `values` has their default."""

    @property
    def folder(self) -> Path:
        """Where the file is, or would be."""
        return self.file.resolve().parent


def load_settings(
    file: Path | None = None, environment: Mapping[str, str] | None = None
) -> Settings:
    """The settings of `file`, else of `./config.toml`, else of the environment alone.

    Raises ConfigError with every problem found, not only the first.
    """
    configuration = read_configuration(file, environment)
    if configuration.problems:
        raise ConfigError(
            "\n".join(configuration.problems), "docs/configuration.md lists every key."
        )
    return _typed(configuration)


def read_configuration(
    file: Path | None = None, environment: Mapping[str, str] | None = None
) -> Configuration:
    """What is configured, with all that is wrong with it. Raises ConfigError for a missing file."""
    env = os.environ if environment is None else environment
    if file is not None and not file.is_file():
        raise ConfigError(f"There is no configuration file {file}.", "Check --config.")
    chosen = file or Path("config.toml")
    found = Configuration(
        chosen,
        {name: key.default for name, key in KEYS.items()},
        {entity: {} for entity in ENTITIES},
    )
    for layer in read_layers(chosen, env, found.problems):
        for name, value in layer.values.items():
            _take(name, value, layer, found)
    found.problems += _contradictions(found)
    return found


def _take(name: str, value: Any, layer: Layer, found: Configuration) -> None:
    """Put one configured value where it belongs, or say what is wrong with it."""
    if name.startswith(COLUMNS + "."):
        _take_column(name, value, layer, found)
        return
    key = KEYS.get(name)
    if key is None:
        found.problems.append(unknown(name, layer.origin))
    elif key.is_secret and layer.origin == FILE:
        found.problems.append(
            f"{name} is a secret and may not stand in config.toml: move it to "
            f".dlt/secrets.toml or {environment_name(name)}."
        )
    else:
        found.origins[name] = layer.place(name)
        try:
            found.values[name] = key.read(value)
            found.unusable.discard(name)
        except Invalid as error:
            shown = "it" if key.is_hidden else repr(value)
            found.problems.append(f"{name} ({layer.origin}): {shown} is not {error}.")
            found.unusable.add(name)


def _take_column(name: str, value: Any, layer: Layer, found: Configuration) -> None:
    entity, _, key = name.removeprefix(COLUMNS + ".").partition(".")
    if entity not in found.columns:
        found.problems.append(unknown(f"{COLUMNS}.{entity}", layer.origin))
    elif not key and isinstance(value, Mapping) and not value:
        return
    elif not key or not isinstance(value, str):
        found.problems.append(f'{name} ({layer.origin}): it is "<key>" = "<column>", both text.')
    else:
        found.columns[entity][key] = value
        found.origins[name] = layer.place(name)


def _contradictions(found: Configuration) -> list[str]:
    """Values that are fine alone and not together."""
    problems = []
    path, publish = (found.folder / found.values[f"warehouse.{k}"] for k in ("path", "publish"))
    if path.resolve() == publish.resolve():
        problems.append("warehouse.path and warehouse.publish are the same file: they must differ.")
    given = [name for name in _OAUTH if found.values[name]]
    missing = [name for name in _OAUTH if not found.values[name]]
    if given and missing:
        problems.append(
            f"{' and '.join(given)} without {' and '.join(missing)}: OAuth takes all three."
        )
    if given and found.values[_TOKEN]:
        problems.append(
            f"{_TOKEN} ({found.origins[_TOKEN]}) and {given[0]} ({found.origins[given[0]]}) are "
            "both set: a run uses a personal token or an OAuth app, so remove one."
        )
    return problems


def _typed(found: Configuration) -> Settings:
    values, folder = found.values, found.folder

    def section(prefix: str) -> dict[str, Any]:
        return {
            name.removeprefix(prefix): value
            for name, value in values.items()
            if name.startswith(prefix) and "." not in name.removeprefix(prefix)
        }

    warehouse, reconcile, notify = (section(f"{s}.") for s in ("warehouse", "reconcile", "notify"))
    return Settings(
        folder=folder,
        file=found.file if found.file.is_file() else None,
        origins=found.origins,
        source=SourceSettings(
            **section("sources.pipedrive."), cadence=section("sources.pipedrive.cadence.")
        ),
        warehouse=WarehouseSettings(
            path=folder / warehouse["path"],
            publish=folder / warehouse["publish"],
            memory_limit=warehouse["memory_limit"],
            encryption_key=warehouse["encryption_key"],
        ),
        reconcile=ReconcileSettings(
            every={
                table: reconcile["every"] if reconcile[table] is None else reconcile[table]
                for table in TABLES
            },
            max_share=reconcile["max_share"],
            max_rows=reconcile["max_rows"],
        ),
        columns=found.columns,
        history=values["history.entities"],
        max_rejected_share=values["checks.max_rejected_share"],
        notify=NotifySettings(
            webhook=notify["webhook"],
            healthcheck=notify["healthcheck"],
            metrics=folder / notify["metrics"] if notify["metrics"] else None,
            on=notify["on"],
        ),
    )
