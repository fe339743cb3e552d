"""What all tests share: a clean environment, and how long property tests look."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from hypothesis import HealthCheck, settings

from pipelines.config import Settings, load_settings
from pipelines.narration import Narrator
from sources.sandbox import Sandbox

if TYPE_CHECKING:
    from pipelines.run import RunResult

settings.register_profile("quick", max_examples=40, deadline=None, derandomize=True)
settings.register_profile(
    "thorough",
    max_examples=2000,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the developer's own account reaches a test."""
    for name in list(os.environ):
        if name.startswith(("SOURCES__", "WAREHOUSE__", "TRANSFORMS__", "RUNTIME__", "DLT_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NO_COLOR", "1")


class Project:
    """A project folder with settings for one sandbox, and runs of it in this process."""

    def __init__(self, folder: Path, box: Sandbox) -> None:
        self.folder = folder
        self.box = box
        self.environment = {
            "SOURCES__PIPEDRIVE__BASE_URL": box.url,
            "SOURCES__PIPEDRIVE__API_TOKEN": box.token,
            "SOURCES__PIPEDRIVE__MAX_WAIT": "0s",
            "WAREHOUSE__PATH": str(folder / "warehouse.duckdb"),
            "WAREHOUSE__PUBLISH": str(folder / "pipedrive.duckdb"),
        }

    def settings(self, **keys: str) -> Settings:
        """The settings; `keys` are keys of `[sources.pipedrive]`."""
        source = {f"SOURCES__PIPEDRIVE__{name.upper()}": value for name, value in keys.items()}
        return load_settings(environment=self.environment | source)

    def run(
        self, *, resources: tuple[str, ...] = (), is_full_refresh: bool = False, **keys: str
    ) -> RunResult:
        """`pipeduck run` in this process."""
        from pipelines.run import run

        with Narrator() as narrator:
            return run(
                self.settings(**keys),
                narrator,
                resources=resources,
                is_full_refresh=is_full_refresh,
            )

    def rows(self, sql: str, *, published: bool = False) -> list[tuple[Any, ...]]:
        """Rows of a query on the working file, or on the published one."""
        name = "pipedrive" if published else "warehouse"
        with duckdb.connect(str(self.folder / f"{name}.duckdb"), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            return connection.execute(sql).fetchall()

    def value(self, sql: str, *, published: bool = False) -> Any:
        """The one value of a query."""
        ((found,),) = self.rows(sql, published=published)
        return found

    def requests_of(self, result: RunResult) -> dict[str, int]:
        """Requests per entity of a run, as the ledger has them."""
        return dict(
            self.rows(
                "select entity, requests from ops.steps "
                f"where step = 'read' and run_id = '{result.run_id}'"
            )
        )


@pytest.fixture
def project_of(tmp_path: Path) -> Callable[..., Project]:
    """Makes a project for a sandbox; several in one test get a folder each."""
    made = count()

    def make(box: Sandbox) -> Project:
        folder = tmp_path / f"project{next(made)}"
        folder.mkdir()
        return Project(folder, box)

    return make
