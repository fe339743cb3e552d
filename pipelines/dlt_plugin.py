"""Makes dlt read the project's `config.toml`, here and from dlt's own command line.

dlt finds this module by its entry point, at import. It steps in only where a `config.toml` with
`[sources.pipedrive]` is in the run folder, or where `use` named settings before dlt was imported.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from dlt.common.configuration import plugins
from dlt.common.configuration.providers import CustomLoaderDocProvider
from dlt.common.configuration.providers.provider import ConfigProvider
from dlt.common.runtime.run_context import RunContext

from warehouse.files import load_folder

from .config import Settings, load_settings
from .config_layers import DLT_SECTIONS, secrets_file
from .errors import ConfigError
from .positions import PIPELINE

_chosen: list[Settings] = []


def use(settings: Settings) -> None:
    """Let the coming dlt pipelines of this process run under these settings."""
    from dlt.common.configuration.container import Container
    from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext

    _chosen[:] = [settings]
    Container()[PluggableRunContext].reload(str(settings.folder))


class ProjectRunContext(RunContext):
    """dlt's run context with the project's file in place of `.dlt/config.toml`."""

    def __init__(self, settings: Settings, *, is_run: bool = False) -> None:
        super().__init__(str(settings.folder))
        self.settings = settings
        self.is_run = is_run

    @property
    def data_dir(self) -> str:
        """dlt's working folder, beside the file it loads into; safe to delete at any time."""
        return str(work_folder(self.settings))

    def initial_providers(self) -> list[ConfigProvider]:
        """Environment, secrets, the project's file, then what pipeduck needs dlt to do.

        dlt asks every provider for hundreds of keys: the first three are left out of a run where
        they have nothing to say to it, which saves a third of what loading a package costs.
        """
        file = self.settings.file
        needed = CustomLoaderDocProvider(
            "pipeduck", lambda: _dlt_defaults(self.settings), supports_secrets=True
        )
        if self.is_run and not _speaks_to_dlt(self.settings):
            return [needed]
        providers = [p for p in super().initial_providers() if p.name != "config.toml"]
        if file:
            providers.append(
                CustomLoaderDocProvider(
                    "config.toml", lambda: _document(file), supports_secrets=False
                )
            )
        return [*providers, needed]


def work_folder(settings: Settings) -> Path:
    """Where dlt keeps packages under way; the DuckDB file alone holds state that matters."""
    return load_folder(settings.warehouse.path)


def _speaks_to_dlt(settings: Settings) -> bool:
    """Whether somebody has told dlt itself something, in a variable or in one of the two files."""
    prefixes = tuple(f"{section}__" for section in (*DLT_SECTIONS, PIPELINE, "schema"))
    if any(name.lower().startswith(prefixes) for name in os.environ):
        return True
    files = [file for file in (settings.file, secrets_file(settings.folder)) if file]
    documents = [_document(file) for file in files if file.is_file()]
    needed = _dlt_defaults(settings)
    return any(
        not document[section].items() <= needed.get(section, {}).items()
        for document in documents
        for section in DLT_SECTIONS & document.keys()
    )


def _document(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text("utf-8"))


def _dlt_defaults(settings: Settings) -> dict[str, Any]:
    return {
        # Nothing leaves the machine but requests to Pipedrive.
        "runtime": {"dlthub_telemetry": False, "log_level": "ERROR"},
        "extract": {"workers": settings.source.concurrency},
        # Marks each row with its package, so that transforms see which rows are new.
        "normalize": {"parquet_normalizer": {"add_dlt_load_id": True}},
        # Or every record would stay in the file twice; and a package is one transaction.
        "load": {"truncate_staging_dataset": True, "workers": 1},
        # May not stand in config.toml; dlt's own command line needs it to find the file.
        "destination": {"duckdb": {"credentials": str(settings.warehouse.path)}},
    }


@plugins.hookimpl(specname="plug_run_context")
def plug_run_context(
    run_dir: str | None,
    runtime_kwargs: dict[str, Any] | None,  # noqa: ARG001 - dlt passes it by name
) -> RunContext | None:
    """The project's run context, or None to leave dlt as it is."""
    if _chosen:
        return ProjectRunContext(_chosen[0], is_run=True)
    file = Path(run_dir or ".") / "config.toml"
    if not file.is_file():
        return None
    try:
        document = _document(file)
        if "pipedrive" not in document.get("sources", {}):
            return None
        return ProjectRunContext(load_settings(file))
    except (ConfigError, tomllib.TOMLDecodeError, OSError, UnicodeDecodeError):
        return None  # our own command line says what is wrong with the file
