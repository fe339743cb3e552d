"""What all tests share: a clean environment, and how long property tests look."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from projects import Project

from sources.sandbox import Sandbox

settings.register_profile(
    "quick", max_examples=40, stateful_step_count=12, deadline=None, derandomize=True
)
settings.register_profile(
    "thorough",
    max_examples=2000,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


_PREFIXES = (
    "SOURCES__", "WAREHOUSE__", "TRANSFORMS__", "RECONCILE__", "HISTORY__", "CHECKS__",
    "NOTIFY__", "RUNTIME__", "DLT_", "PIPEDUCK_",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the developer's own account reaches a test."""
    for name in list(os.environ):
        if name.startswith(_PREFIXES) and name != "PIPEDUCK_REFRESH_GOLDEN":
            monkeypatch.delenv(name)
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.fixture
def project_of(tmp_path: Path) -> Callable[..., Project]:
    """Makes a project for a sandbox; several in one test get a folder each."""
    made = count()

    def make(box: Sandbox) -> Project:
        folder = tmp_path / f"project{next(made)}"
        folder.mkdir()
        return Project(folder, box)

    return make
