"""After any life of the account, a reconcile makes the published file equal to it.

Sequences of changes and runs against the sandbox over HTTP, with DuckDB files; what must hold after
each run, and what may lag until the next whole list, is in `history_of_account`.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, cast

from history_of_account import History
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from life_of_account import ARCHIVABLE, MERGEABLE, RECORDS
from projects import Project

from sources.sandbox import Sandbox
from sources.sandbox.records import Entity

_SMALL = {
    "persons": 6, "organizations": 4, "leads": 6, "archived_leads": 3, "deals": 3,
    "archived_deals": 1,
}  # fmt: skip
_DAY = 86_400
numbers = st.integers(0, 20)
records = st.sampled_from(RECORDS)
owners = st.sampled_from(MERGEABLE)


class Lives(RuleBasedStateMachine):
    """One project that loads one account, while the account lives."""

    api: ClassVar[str]
    recents_gone: ClassVar[str]

    @initialize(
        options=st.fixed_dictionaries(
            {
                "v2_unset": st.sampled_from(["null", "absent"]),
                "archive_moves_update_time": st.booleans(),
                "nulls": st.sampled_from(["first", "last"]),
                "merge_what_id": st.sampled_from(["loser", "survivor"]),
            }
        ),
        keys=st.fixed_dictionaries(
            {
                "page_size": st.integers(3, 7).map(str),
                "full_listing_pages": st.sampled_from(["0", "2"]),
                "package_rows": st.sampled_from(["5", "50000", "50000"]),
                "overlap": st.sampled_from(["0s", "10s", "10m"]),
            }
        ),
        max_rows=st.sampled_from([2, 20]),
    )
    def begin(self, options: dict[str, Any], keys: dict[str, str], max_rows: int) -> None:
        """An account that was loaded once."""
        self.folder = Path(tempfile.mkdtemp())
        options["recents_gone"] = self.recents_gone
        self.box = _small_sandbox(self.api, options).start()
        moves, unset = options["archive_moves_update_time"], options["v2_unset"]
        loaded = _loaded_once(self.api, unset, moves)
        shutil.copytree(loaded, self.folder, dirs_exist_ok=True)
        project = Project(self.folder, self.box)
        project.environment["RECONCILE__MAX_ROWS"] = str(max_rows)
        self.keys: dict[str, Any] = keys | {"api": self.api}
        self.history = History(self.box, project, self.api, max_rows)
        self.history.begin()
        self.life = self.history.life
        self.loaded = 0  # changes that a run has seen: another one would bring nothing

    @rule(entity=records, number=numbers)
    def create(self, entity: Any, number: int) -> None:
        self.life.create(entity, number)

    @rule(entity=records, number=numbers, what=numbers)
    def edit(self, entity: Any, number: int, what: int) -> None:
        self.life.edit(entity, number, what)

    @rule(entity=records, number=numbers, which=numbers, value=numbers)
    def set_value(self, entity: Any, number: int, which: int, value: int) -> None:
        self.life.set_value(entity, number, which, value)

    @rule(entity=owners, number=numbers, other=numbers)
    def merge(self, entity: Any, number: int, other: int) -> None:
        self.life.merge(entity, number, other)

    @rule(entity=st.sampled_from(ARCHIVABLE), number=numbers)
    def archive(self, entity: Any, number: int) -> None:
        self.life.archive(entity, number)

    @rule(entity=st.sampled_from(ARCHIVABLE), number=numbers)
    def convert(self, entity: Any, number: int) -> None:
        self.life.convert(entity, number)

    @rule(entity=records, number=numbers)
    def delete(self, entity: Any, number: int) -> None:
        self.life.delete(entity, number)

    @rule(entity=owners, number=numbers)
    def restore(self, entity: Any, number: int) -> None:
        self.life.restore(entity, number)

    @rule(entity=owners, number=numbers, other=numbers, what=numbers)
    def change_field(self, entity: Any, number: int, other: int, what: int) -> None:
        self.life.change_field(entity, number, other, what)

    @rule(entity=owners, number=numbers, which=numbers, what=numbers)
    def change_option(self, entity: Any, number: int, which: int, what: int) -> None:
        self.life.change_option(entity, number, which, what)

    @rule(entity=records, share=st.sampled_from([0.0, 0.0, 0.4, 1.0]))
    def hide(self, entity: Any, share: float) -> None:
        self.life.hide(entity, share)

    @rule(number=numbers, what=numbers)
    def change_pipeline(self, number: int, what: int) -> None:
        self.life.change_pipeline(number, what)

    @rule(seconds=st.sampled_from([1, 3600, 3 * _DAY, 40 * _DAY]))
    def pass_time(self, seconds: int) -> None:
        self.life.pass_time(seconds)

    @precondition(lambda self: self.life.changes > self.loaded)
    @rule()
    def run(self) -> None:
        self.loaded = self.life.changes
        self.history.run(lambda: self.history.project.run(**self.keys))

    @precondition(lambda self: self.life.changes > self.loaded)
    @rule(seconds=st.sampled_from([60, _DAY]))
    def run_later(self, seconds: int) -> None:
        self.life.pass_time(seconds)
        self.run()

    @precondition(lambda self: self.life.changes > self.loaded)
    @rule()
    def reconcile(self) -> None:
        self.loaded = self.life.changes
        self.history.run(lambda: self.history.project.reconcile(**self.keys))

    def teardown(self) -> None:
        """One reconcile, and the file equals the account."""
        if not hasattr(self, "history"):
            return
        try:
            if self.history.is_sound:
                self.history.settle(self.keys)
        finally:
            self.box.close()
            shutil.rmtree(self.folder)


def _small_sandbox(api: str, options: dict[str, Any]) -> Sandbox:
    """A small account, with fields of every type on persons and of some on the others."""
    box = Sandbox(**_SMALL, **options, v2=api == "v2")
    kept: dict[Entity, Collection[int]] = {
        "person": range(17),
        "organization": (0, 6, 11),
        "deal": range(4, 16, 2),
    }
    for entity, places in kept.items():
        for place, defined in enumerate(box.account.custom_fields(entity)):
            if place not in places:
                box.account.delete_field(entity, defined.key)
    return box


@cache
def _loaded_once(api: str, v2_unset: str, moves: bool) -> Path:
    """The folder of a project after its first load, which most examples would repeat."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    with _small_sandbox(api, {"v2_unset": v2_unset, "archive_moves_update_time": moves}) as box:
        assert Project(folder, box).run(api=api, page_size="5").exit_code == 0
    return folder


def _case(api: str, recents_gone: str) -> Any:
    """Tests with one dialect and one form of deleted records: apart, so that they run in parallel.

    Without v2 there are no deals, and a lead that became one counts as deleted.
    """
    name = f"{api.title()}{recents_gone.title()}"
    lives = type(name, (Lives,), {"api": api, "recents_gone": recents_gone})
    case: Any = cast("type[Lives]", lives).TestCase
    case.settings = settings(
        max_examples=settings().max_examples // (10 if settings().max_examples < 100 else 4),
        suppress_health_check=list(HealthCheck),  # a step is a load: slow, and large in memory
    )
    return case


TestV2WithRows = _case("v2", "row")
TestV2WithNulls = _case("v2", "null")
TestV2WithLists = _case("v2", "list")
TestCollectionWithRows = _case("collection", "row")
TestCollectionWithNulls = _case("collection", "null")
TestCollectionWithLists = _case("collection", "list")
