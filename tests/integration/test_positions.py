"""Where lists go on is dlt's own state, and read here without dlt."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import duckdb
from projects import Project

from pipelines.positions import read_positions
from sources.sandbox import Sandbox

Make = Callable[[Sandbox], Project]


def test_it_is_the_state_that_dlt_restores(project_of: Make) -> None:
    from dlt.common.pipeline import TPipelineState
    from dlt.common.versioned_state import decompress_state

    with Sandbox(persons=30, organizations=5, leads=5) as box:
        project = project_of(box)
        box.fault("*/persons", "daily_429", times=None, after=2)
        project.run(page_size="5", package_rows="10")
        stored = project.value(
            "select state from raw._dlt_pipeline_state order by _dlt_load_id desc limit 1"
        )
        state: TPipelineState = decompress_state(stored)  # type: ignore[assignment]  # dlt's own cast
        resources = state["sources"]["pipedrive"]["resources"]
        with duckdb.connect(str(project.folder / "warehouse.duckdb")) as connection:
            found = read_positions(connection)
        assert found == resources
        assert found["persons"]["first"]["rows"] == 10


def test_a_run_that_brings_nothing_does_not_start_dlt(project_of: Make) -> None:
    script = """
import sys
from pipelines.cli import main
try:
    main(["run"], prog_name="pipeduck")
except SystemExit as end:
    assert end.code == 0
print("dlt" in sys.modules)
"""
    with Sandbox(persons=3) as box:
        project = project_of(box)
        project.run()
        done = subprocess.run(
            [sys.executable, "-c", script],
            env=project.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == "False\n"
