"""Every fault, on every list, in every kind of run: the exit code, and nothing lost.

`docs/reliability.md` shows the table of this file.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, Literal

import pytest
from history_of_account import History
from life_of_account import RECORDS
from projects import Project

from pipelines.errors import PipelineError
from pipelines.outcome import RunResult
from sources.pipedrive.errors import SourceError
from sources.pipedrive.rules import as_markdown
from sources.sandbox import Sandbox

Phase = Literal["first", "incremental", "reconcile"]
PHASES: tuple[Phase, ...] = ("first", "incremental", "reconcile")
_ACCOUNT = {
    "persons": 9, "organizations": 7, "leads": 9, "archived_leads": 8, "deals": 8,
    "archived_deals": 8,
}  # fmt: skip
_KEYS = {"page_size": "3", "full_listing_pages": "0", "package_rows": "8", "timeout": "1s"}
LISTS = {
    "leads": "v1/leads",
    "archived_leads": "v1/leads/archived",
    "persons": "*/persons",
    "organizations": "*/organizations",
    "deals": "*/deals",
    "archived_deals": "*/deals/archived",
    "person_fields": "*/personFields",
}


@dataclass(frozen=True)
class Fault:
    """A fault of the sandbox; the exit codes of a run in which it happens once, or for ever.

    Once: 0 where asking again helps. For ever, on one list: 3 where the others are loaded.
    """

    name: str
    kind: str
    args: dict[str, Any] = field(default_factory=dict)
    once: int = 0
    always: int = 3
    is_slow: bool = False  # somebody has to wait for real
    is_alike: bool = False  # to another one: `make test` has it where it passes


def _statuses() -> Iterator[Fault]:
    bodies = ("json", "html", "empty")
    for number, (code, body) in enumerate(product((500, 502, 503, 504, 524), bodies)):
        yield Fault(
            f"{code}, {body}", "status", {"code": code, "body": body}, is_alike=number % 4 > 0
        )


FAULTS = (
    Fault("429 burst, with headers", "burst_429"),
    Fault("429 burst, no headers", "burst_429", {"headers": False}),
    Fault("429 burst, retry-after of an hour", "burst_429", {"retry_after": 3600}),
    Fault("429 daily, in words", "daily_429", once=75, always=75),
    Fault("429 daily, in a header", "daily_429", {"words": False}, once=75, always=75),
    Fault("403 web page (Cloudflare)", "cloudflare_403", once=75, always=75),
    Fault("401", "status", {"code": 401}, once=77, always=77),
    Fault("403 in JSON", "status", {"code": 403}, once=3),
    Fault("400", "status", {"code": 400}, once=3),
    *_statuses(),
    Fault("connection reset", "reset"),
    Fault("connection reset within the body", "reset_midway"),
    Fault("connection closed within the body", "cut"),
    Fault("truncated JSON", "truncated"),
    Fault("200, empty body", "empty"),
    Fault("200, a web page", "html"),
    Fault("200, wrong content type", "content_type"),
    Fault("200, body does not decompress", "undecodable"),
    Fault("200, success = false", "success_false"),
    Fault("200, data = null where more was announced", "data_null"),
    Fault("redirect", "redirect", once=3),
    Fault("no answer (read timeout)", "hang", is_slow=True),
)
_PASSING = [fault for fault in FAULTS if not fault.once and not fault.is_slow]


@pytest.mark.parametrize(
    ("turn", "phase"),
    [
        pytest.param(
            turn, phase, marks=() if turn % 3 == PHASES.index(phase) else pytest.mark.thorough
        )
        for turn in range(len(_PASSING))
        for phase in PHASES
    ],
)
def test_a_fault_that_passes_costs_nothing_on_any_list(
    turn: int, phase: Phase, tmp_path: Path
) -> None:
    """In each turn every list has another fault: over all turns every list has every fault."""
    with _account(phase, tmp_path) as case:
        for number, path in enumerate(LISTS.values()):
            fault = _PASSING[(turn + number) % len(_PASSING)]
            case.spoil(path, fault, times=1)
        result = case.run()
        assert result == 0
        case.check()


@pytest.mark.parametrize(
    ("fault", "name", "phase"),
    [
        pytest.param(
            fault,
            name,
            phase,
            id=f"{fault.name}-{name}-{phase}",
            marks=()
            if number % len(LISTS) == place
            and number % len(PHASES) == PHASES.index(phase)
            and not (fault.is_slow or fault.is_alike)
            else pytest.mark.thorough,
        )
        for number, fault in enumerate(FAULTS)
        for place, name in enumerate(LISTS)
        for phase in PHASES
    ],
)
def test_a_fault_that_stays_ends_in_its_exit_code_and_loses_nothing(
    fault: Fault, name: str, phase: Phase, tmp_path: Path
) -> None:
    with _account(phase, tmp_path) as case:
        case.spoil(LISTS[name], fault, times=None)
        # Where no more was announced, null is an empty list: the watermark stays, nothing is lost.
        is_empty = fault.kind == "data_null" and phase == "incremental"
        assert case.run() == (0 if is_empty else fault.always)
        case.box.clear_faults()
        assert case.run() == 0
        case.check()


def test_the_documentation_has_the_tables() -> None:
    lines = ["| fault | once | for ever, on one list |", "|---|---|---|"]
    lines += [f"| {fault.name} | {fault.once} | {fault.always} |" for fault in FAULTS]
    text = Path("docs/reliability.md").read_text("utf-8")
    assert "\n".join(lines) in text
    assert as_markdown() in text


class _Case:
    """An account with a project that has loaded it, or not, and changes since then."""

    def __init__(self, box: Sandbox, folder: Path, phase: Phase) -> None:
        self.box = box
        self.phase = phase
        self.history = History(box, Project(folder, box), "v2")
        if phase != "first":
            self.history.begin()
            for number in range(6):
                self.history.life.pass_time(60)
                for entity in RECORDS:
                    self.history.life.edit(entity, number, 0)

    def spoil(self, path: str, fault: Fault, times: int | None) -> None:
        page = 0 if self.phase == "incremental" else 1  # by the second there is something to lose
        self.box.fault(path, fault.kind, times, page, **fault.args)

    def run(self) -> int:
        """The exit code of a run."""
        project = self.history.project
        try:
            result: RunResult = (
                project.reconcile(**_KEYS) if self.phase == "reconcile" else project.run(**_KEYS)
            )
        except (SourceError, PipelineError) as error:
            return error.exit_code
        return result.exit_code

    def check(self) -> None:
        """Whether the published file is the account."""
        self.history.run(lambda: self.history.project.run(**_KEYS))


@contextmanager
def _account(phase: Phase, folder: Path) -> Iterator[_Case]:
    if phase != "first":
        shutil.copytree(_loaded_once(), folder, dirs_exist_ok=True)
    with Sandbox(**_ACCOUNT) as box:
        yield _Case(box, folder, phase)


@cache
def _loaded_once() -> Path:
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    with Sandbox(**_ACCOUNT) as box:
        assert Project(folder, box).run(**_KEYS).exit_code == 0
    return folder
