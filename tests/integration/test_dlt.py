"""dlt and the project: the source on its own, and dlt reading `config.toml` through the plugin."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import duckdb
import pytest
from projects import Project

from sources.sandbox import Sandbox

Make = Callable[[Sandbox], Project]
CONFIG = """
[sources.pipedrive]
base_url = "{url}"
page_size = 7
api = "v2"
resources = ["persons"]
[warehouse]
path = "data/here.duckdb"
publish = "data/published.duckdb"
"""


def python(script: str, folder: Path, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_dlt_reads_config_toml_through_the_plugin(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(CONFIG.format(url="http://127.0.0.1:1"))
    found = python(
        "import dlt\n"
        "from dlt.common.runtime.run_context import active\n"
        "print(dlt.config['sources.pipedrive.page_size'])\n"
        "print(active().runtime_config.dlthub_telemetry)\n"
        "print(dlt.secrets['destination.duckdb.credentials'])\n",
        tmp_path,
    )
    path = str(tmp_path / "data" / "here.duckdb")
    assert found.splitlines() == ["7", "False", path]


def test_without_a_config_toml_of_ours_dlt_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[something]\nelse = 1\n")
    script = "from dlt.common.runtime.run_context import active; print(type(active()).__name__)"
    assert python(script, tmp_path) == "RunContext"


def test_the_source_stands_on_its_own_in_any_dlt_pipeline(tmp_path: Path) -> None:
    with Sandbox(persons=20, organizations=3) as box:
        script = (
            "import dlt\n"
            "from sources.pipedrive.source import pipedrive\n"
            "p = dlt.pipeline('mine', destination=dlt.destinations.duckdb('mine.duckdb'),\n"
            "    dataset_name='raw', pipelines_dir='work')\n"
            f"for _ in range(2): p.run(pipedrive(base_url={box.url!r}, resources=['persons']))\n"
            "print(p.last_trace.last_normalize_info.row_counts.get('persons', 0) < 20)\n"
        )
        token = {"SOURCES__PIPEDRIVE__API_TOKEN": box.token}
        assert python(script, tmp_path, **token).splitlines()[-1] == "True"
    with duckdb.connect(str(tmp_path / "mine.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) from raw.persons").fetchall() == [(20,)]


def test_the_source_on_its_own_fails_where_a_list_does_and_takes_edits_as_they_came_last(
    tmp_path: Path,
) -> None:
    script = (
        "import dlt\n"
        "from sources.pipedrive.source import pipedrive\n"
        "p = dlt.pipeline('mine', destination=dlt.destinations.duckdb('mine.duckdb'),\n"
        "    dataset_name='raw', pipelines_dir='work')\n"
        "p.run(pipedrive(base_url={url!r}, page_size=5, resources=['persons']))\n"
    )
    with Sandbox(persons=20) as box:
        token = {"SOURCES__PIPEDRIVE__API_TOKEN": box.token}
        box.fault("*/persons", "status", times=None, code=404)
        box.fault("*/persons/*", "status", times=None, code=404)
        with pytest.raises(AssertionError, match="NotServed"):
            python(script.format(url=box.url), tmp_path, **token)
        box.clear_faults()
        for page in (1, 2):
            call = partial(box.account.edit, "person", 3, name=f"Edited after page {page}")
            box.fault("*/persons", "hook", after=page, call=call)
        python(script.format(url=box.url), tmp_path, **token)
    with duckdb.connect(str(tmp_path / "mine.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) from raw.persons").fetchall() == [(20,)]
        assert connection.execute(
            "select payload ->> 'name' from raw.persons where id = 3"
        ).fetchall() == [("Edited after page 2",)]


def test_dlts_own_command_line_finds_the_pipeline_and_its_state(tmp_path: Path) -> None:
    with Sandbox(persons=3) as box:
        (tmp_path / "config.toml").write_text(CONFIG.format(url=box.url))
        environment = os.environ | {"SOURCES__PIPEDRIVE__API_TOKEN": box.token}
        for name, arguments in (
            ("pipeduck", ["run"]),
            ("dlt", ["pipeline", "pipedrive", "info"]),
            ("dlt", ["--non-interactive", "pipeline", "pipedrive", "sync"]),
            ("pipeduck", ["run"]),
        ):
            script = str(Path(sys.executable).with_name(name))
            done = subprocess.run(
                [script, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing changed" in done.stderr
    assert {file.name for file in tmp_path.iterdir()} == {"config.toml", "data"}


@pytest.mark.parametrize("leftover", ["half a package", "another state"])
def test_dlts_working_folder_is_no_truth(project_of: Make, leftover: str) -> None:
    with Sandbox(persons=5) as box:
        project = project_of(box)
        project.run(api="v2")
        (work,) = project.folder.glob(".*.dlt")
        for file in work.rglob("state.json"):
            file.write_text(leftover)
        result = project.run(api="v2")
        assert sum(p.rows_loaded for p in result.progress) == 0
