"""Records change between two pages of every list, and nothing is lost, twice, or taken for gone."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import threading
from collections.abc import Callable
from functools import cache, partial
from itertools import count
from pathlib import Path
from typing import Any, Literal

import pytest
from history_of_account import ENTITY, History
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from life_of_account import ARCHIVABLE, MERGEABLE, RECORDS, Life
from projects import Project

from sources.sandbox import Sandbox
from sources.sandbox.records import Entity

Phase = Literal["first", "incremental", "reconcile"]
LISTS = {
    "v2": (
        "leads", "leads/archived", "persons", "organizations", "deals", "deals/archived", "recents",
    ),
    "collection": (
        "leads", "leads/archived", "persons/collection", "organizations/collection", "recents",
    ),
}  # fmt: skip
_ACCOUNT = {
    "persons": 9, "organizations": 7, "leads": 9, "archived_leads": 8, "deals": 8,
    "archived_deals": 8,
}  # fmt: skip
_PAGE_SIZE = "3"

numbers = st.integers(0, 20)


def change(name: str, entities: tuple[Entity, ...], arguments: int) -> st.SearchStrategy[Any]:
    """A change of `Life`, with the numbers that choose what it changes."""
    return st.tuples(st.just(name), st.sampled_from(entities), st.tuples(*[numbers] * arguments))


changes = st.one_of(
    change("edit", RECORDS, 2),
    change("archive", ARCHIVABLE, 1),
    change("archive", ARCHIVABLE, 1),  # twice: what moves between two lists is easily missed
    change("delete", RECORDS, 1),
    change("merge", MERGEABLE, 2),
    change("convert", ARCHIVABLE, 1),
    change("create", RECORDS, 1),
    change("restore", MERGEABLE, 1),
)
moments = st.lists(
    st.tuples(st.integers(0, 3), st.lists(changes, min_size=1, max_size=3)), max_size=3
)
options = st.fixed_dictionaries(
    {
        "archive_moves_update_time": st.booleans(),
        "nulls": st.sampled_from(["first", "last"]),
        "recents_gone": st.sampled_from(["row", "null", "list"]),
    }
)
keys = st.fixed_dictionaries(
    {
        "package_rows": st.sampled_from(["8", "50000"]),
        "overlap": st.sampled_from(["0s", "10m"]),
    }
)


@pytest.mark.parametrize("phase", ["first", "incremental", "reconcile"])
@pytest.mark.parametrize("api", ["v2", "collection"])
@settings(
    max_examples=settings().max_examples // 20,
    suppress_health_check=list(HealthCheck),  # an example is three loads: slow
)
@given(data=st.data(), options=options, keys=keys)
def test_what_changes_between_two_pages_is_neither_lost_nor_twice_nor_taken_for_gone(
    api: str, phase: Phase, data: st.DataObject, options: dict[str, Any], keys: dict[str, Any]
) -> None:
    hooks = data.draw(st.fixed_dictionaries(dict.fromkeys(LISTS[api], moments)), "changes")
    keys |= {"api": api, "page_size": _PAGE_SIZE, "full_listing_pages": "0"}
    with tempfile.TemporaryDirectory() as folder, _sandbox(api, options) as box:
        if phase != "first":
            moves = options["archive_moves_update_time"]
            shutil.copytree(_loaded_once(api, moves), folder, dirs_exist_ok=True)
        history = History(box, Project(Path(folder), box), api)
        if phase != "first":
            history.begin()
            _touch_all(history.life)
        alive = _Alive(history)
        for path, found in hooks.items():
            for page, wanted in found:
                box.fault(path, "hook", after=page, call=partial(alive.change, wanted))
        project = history.project
        run: Callable[..., Any] = project.reconcile if phase == "reconcile" else project.run
        now = history.run_amid(lambda: run(**keys))
        box.clear_faults()
        alive.check_not_gone(now.tables)
        history.run(lambda: project.run(**keys))
        history.settle(keys)


@pytest.mark.parametrize("moves", [True, False])
@pytest.mark.parametrize("entity", ARCHIVABLE)
@pytest.mark.parametrize(
    ("directions", "lists"),
    [
        ((True,), ("", "/archived")),
        ((False,), ("", "/archived")),
        pytest.param((True, False), ("", "/archived"), marks=pytest.mark.thorough),
        pytest.param((True, True), ("/archived",), marks=pytest.mark.thorough),
        pytest.param((False, False), ("",), marks=pytest.mark.thorough),
    ],
)
def test_what_moves_once_between_the_open_and_the_archived_list_is_never_gone(
    directions: tuple[bool, ...],
    lists: tuple[str, ...],
    entity: Entity,
    moves: bool,
    tmp_path: Path,
) -> None:
    """What each page of `lists` moves: True out of the archive, False into it."""
    keys: dict[str, Any] = {"api": "v2", "page_size": _PAGE_SIZE, "full_listing_pages": "0"}
    with _sandbox("v2", {"archive_moves_update_time": moves}) as box:
        shutil.copytree(_loaded_once("v2", moves), tmp_path, dirs_exist_ok=True)
        history = History(box, Project(tmp_path, box), "v2")
        history.begin()
        alive = _Alive(history)
        turns, moved = count(), set[Any]()

        def move() -> None:
            """What leaves comes from the front of a list that was begun, or from its end."""
            is_end = next(turns) % 2 == 1
            for is_archived in directions:
                records = list(enumerate(box.account.visible(entity)))
                places = [n for n, x in records if x.is_archived is is_archived]
                once = [n for n in places if records[n][1].id not in moved]
                once.sort(key=lambda n: records[n][1].update_time, reverse=is_archived)
                if len(places) > 1 and once:  # an empty list would look like a fault
                    place = once[-1 if is_end and not is_archived else 0]
                    moved.add(records[place][1].id)
                    alive.change([("archive", entity, [place])])

        for name in lists:
            box.fault(f"{entity}s{name}", "hook", times=None, call=move)
        now = history.run_amid(lambda: history.project.reconcile(**keys))
        box.clear_faults()
        assert len(alive.ids) == sum(len(box.account.visible(x)) for x in RECORDS)
        alive.check_not_gone(now.tables)
        history.settle(keys)


class _Alive:
    """Changes from within requests, and the records that were in sight all the time.

    One that moves between the open and the archived list again and again can be away from each
    list whenever that one is read: it may be taken for gone until it is read again.
    """

    def __init__(self, history: History) -> None:
        self.history = history
        self.ids = self._in_sight()
        self._lists = self._archived()
        self._moved: set[tuple[str, Any]] = set()
        self._lock = threading.Lock()

    def change(self, wanted: list[Any]) -> None:
        """Make the changes, one after the other although lists are read side by side."""
        with self._lock:
            for name, entity, arguments in wanted:
                getattr(self.history.life, name)(entity, *arguments)
                self.ids &= self._in_sight()
                lists = self._archived()
                moved = {x for x in lists.keys() & self._lists.keys() if lists[x] != self._lists[x]}
                self.ids -= moved & self._moved
                self._moved |= moved
                self._lists = lists

    def check_not_gone(self, tables: dict[str, dict[Any, Any]]) -> None:
        """None of them is marked as gone."""
        for table in self.history.tables:
            for id_, row in tables[table].items():
                is_alive = (ENTITY[table], id_) in self.ids
                assert not (is_alive and row["is_deleted"]), (table, id_)

    def _archived(self) -> dict[tuple[str, Any], bool]:
        account = self.history.box.account
        return {
            (entity, record.id): record.is_archived
            for entity in ARCHIVABLE
            for record in account.visible(entity)
        }

    def _in_sight(self) -> set[tuple[str, Any]]:
        account = self.history.box.account
        return {(entity, record.id) for entity in RECORDS for record in account.visible(entity)}


def _sandbox(api: str, options: dict[str, Any]) -> Sandbox:
    """An account of a few pages each, and of few fields."""
    box = Sandbox(**_ACCOUNT, **options, v2=api == "v2")
    for entity in MERGEABLE:
        for defined in box.account.custom_fields(entity)[2:]:
            box.account.delete_field(entity, defined.key)
    return box


def _touch_all(life: Life) -> None:
    """Change most records, in some seconds, so that what is new has several pages."""
    for number in range(10):
        life.pass_time(60)
        for entity in RECORDS:
            life.edit(entity, number, 0)


@cache
def _loaded_once(api: str, moves: bool) -> Path:
    """The folder of a project after its first load, which most examples would repeat."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    with _sandbox(api, {"archive_moves_update_time": moves}) as box:
        assert Project(folder, box).run(api=api, page_size=_PAGE_SIZE).exit_code == 0
    return folder
