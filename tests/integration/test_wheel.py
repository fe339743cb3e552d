"""The built wheel: what it holds, and that it works away from the tree."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = target.glob("*.whl")
    return built


def test_it_holds_the_sql_files_and_no_data(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for file in [
        *ROOT.glob("transforms/sql/**/*.sql"),
        *ROOT.glob("warehouse/sql/*.sql"),
        *ROOT.glob("pipelines/html_report/**/*.sql"),
        *ROOT.glob("pipelines/html_report/*.html"),
        *ROOT.glob("pipelines/html_report/*.css"),
    ]:
        assert str(file.relative_to(ROOT)) in names
    packages = {"pipelines", "sources", "transforms", "warehouse"}
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == packages
    endings = {Path(name).suffix for name in names if ".dist-info" not in name}
    assert endings <= {".py", ".sql", ".html", ".css", ".typed"}


def test_it_works_installed_in_another_place(wheel: Path, tmp_path: Path) -> None:
    installed = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(installed)
    script = (
        "import sys, pipelines, transforms\n"
        f"assert pipelines.__file__.startswith({str(installed)!r}), pipelines.__file__\n"
        "from pipelines.cli import main\n"
        "main(['demo'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "cf_yearly_budget" in done.stdout
    assert (tmp_path / "data" / "demo" / "pipedrive.duckdb").is_file()
