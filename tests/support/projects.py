"""A project folder for one sandbox, so that a test can run it and look at what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from pipelines.config import Settings, load_settings
from pipelines.narration import Narrator
from sources.sandbox import Sandbox

if TYPE_CHECKING:
    from pipelines.outcome import RunResult


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
        self,
        *,
        resources: tuple[str, ...] = (),
        is_full_refresh: bool = False,
        accepts_deletions: bool = False,
        command: str = "run",
        **keys: str,
    ) -> RunResult:
        """`pipeduck run` in this process."""
        from pipelines.readings import Scope
        from pipelines.run import run

        with Narrator() as narrator:
            return run(
                self.settings(**keys),
                narrator,
                Scope(resources, is_full_refresh, accepts_deletions, command),
            )

    def reconcile(self, *, accepts_deletions: bool = False, **keys: str) -> RunResult:
        """`pipeduck reconcile` in this process."""
        return self.run(
            is_full_refresh=True,
            accepts_deletions=accepts_deletions,
            command="reconcile",
            **keys,
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

    def records(self, table: str) -> dict[Any, dict[str, Any]]:
        """The rows of a published table by id, each as a dict of its columns."""
        names = self.columns(table)
        return {
            row[0]: dict(zip(names, row, strict=True))
            for row in self.rows(f"from {table}", published=True)
        }

    def table(self, name: str) -> list[tuple[Any, ...]]:
        """The rows of a published table in a fixed order, without when we first saw them."""
        columns = "columns(lambda c: c <> 'first_seen')"
        return self.rows(f"select {columns} from {name} order by all", published=True)

    def columns(self, table: str) -> list[str]:
        """The columns of a published table, in order."""
        described = self.rows(f"describe {table}", published=True)
        return [row[0] for row in described]
