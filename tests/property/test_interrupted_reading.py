"""A first read that is broken off again and again: nothing lost, next to nothing read again."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from datetime import timedelta
from typing import Any, Self

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from life_of_account import Life

from sources.pipedrive.client import Client, Token
from sources.pipedrive.dialects import DialectChoice
from sources.pipedrive.endpoints import ENDPOINTS, Dialect, Endpoint
from sources.pipedrive.hosts import find_host
from sources.pipedrive.reading import Reading, ReadingSettings
from sources.pipedrive.stored import AllNew
from sources.sandbox import Sandbox
from sources.sandbox.records import Entity

_LISTS = {
    "leads": ("lead", False), "archived_leads": ("lead", True), "persons": ("person", False),
    "deals": ("deal", False), "archived_deals": ("deal", True),
}  # fmt: skip
_CASES = [(name, "v2") for name in _LISTS] + [("persons", "collection")]
_ACCOUNT = {
    "persons": 45, "organizations": 3, "leads": 40, "archived_leads": 40, "deals": 40,
    "archived_deals": 40,
}  # fmt: skip
_SETTINGS = ReadingSettings(
    page_size=3,
    package_rows=15,  # more than have one and the same time
    overlap=timedelta(0),
    full_listing_pages=0,
)


class _Warehouse:
    """What is committed of one list: rows and position, a package at a time."""

    def __init__(self, box: Sandbox, name: str, dialect: Dialect) -> None:
        self.box = box
        self.endpoint = _endpoint(name)
        self.dialect = dialect
        self.client = Client(find_host("", box.url), Token(box.token), max_wait=0)
        self.rows: dict[Any, Any] = {}
        self.position: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def count(self, table: str) -> int:
        """As the real one: how many rows are stored."""
        return len(self.rows)

    def compare(self, table: str, rows: pa.Table) -> AllNew:
        """As the real one: the rows that differ from what is stored."""
        found = rows.select(["id", "update_time"]).to_pylist()
        is_new = [self.rows.get(row["id"], ...) != row["update_time"] for row in found]
        return AllNew(rows.filter(pa.array(is_new, pa.bool_())), sum(is_new))

    compare_listing = compare

    def read(self, packages: int = 1_000) -> bool:
        """A run that is killed while it reads the package after so many; whether it was not."""
        reading = Reading(
            self.endpoint,
            self.client,
            DialectChoice(self.dialect),
            _SETTINGS,
            self.client.identify().server_time,
            self,
            position=deepcopy(self.position),
        )
        for _ in range(packages):
            self._commit(reading, reading.package())
            if reading.is_finished:
                return reading.progress.error is None
        next(reading.package(), None)
        return False

    def _commit(self, reading: Reading, package: Iterator[Any]) -> None:
        found = [row for page in package for row in page.select(["id", "update_time"]).to_pylist()]
        assert len({row["id"] for row in found}) == len(found)
        self.rows.update((row["id"], row["update_time"]) for row in found)
        self.position = deepcopy(dict(reading.position))


def _endpoint(name: str) -> Endpoint:
    return next(endpoint for endpoint in ENDPOINTS if endpoint.entity == name)


def _account(box: Sandbox, entity: Entity, *, is_archived: bool) -> dict[Any, Any]:
    return {
        record.id: record.update_time
        for record in box.account.visible(entity)
        if getattr(record, "is_archived", False) is is_archived
    }


@pytest.mark.parametrize(("name", "dialect"), _CASES)
def test_a_first_load_killed_after_every_package_costs_a_page_or_two_more_each(
    name: str, dialect: Dialect
) -> None:
    with (
        Sandbox(**_ACCOUNT) as box,
        _Warehouse(box, name, dialect) as whole,
        _Warehouse(box, name, dialect) as pieces,
    ):
        assert whole.read()
        requests = whole.client.meter.requests
        runs = 1
        while not pieces.read(packages=1):
            runs += 1
            assert runs < 60
        entity, is_archived = _LISTS[name]
        assert pieces.rows == whole.rows == _account(box, entity, is_archived=is_archived)
        assert runs > 2
        # users/me, a page of the package that was under way, those of the second it began in; and
        # in a list without an order those of a window
        assert pieces.client.meter.requests <= requests + runs * (
            16 if dialect == "collection" else 6
        )


changes = st.lists(
    st.tuples(
        st.sampled_from(["edit", "create", "archive", "delete"]),
        st.integers(0, 200),
        st.integers(0, 3),
    ),
    max_size=6,
)


@pytest.mark.parametrize(("name", "dialect"), _CASES)
@settings(max_examples=max(4, settings().max_examples // 8))
@given(
    lives=st.lists(st.tuples(st.integers(0, 3), changes), max_size=6),
    nulls=st.sampled_from(["first", "last"]),
    error_after=st.one_of(st.none(), st.integers(1, 12)),
)
def test_what_changes_between_the_runs_of_a_first_load_is_neither_lost_nor_old(
    name: str,
    dialect: Dialect,
    lives: list[tuple[int, list[Any]]],
    nulls: str,
    error_after: int | None,
) -> None:
    entity, is_archived = _LISTS[name]
    with (
        Sandbox(**_ACCOUNT, nulls=nulls) as box,
        _Warehouse(box, name, dialect) as warehouse,
    ):
        life = Life(box.account)
        if error_after is not None:
            box.fault(
                f"*{warehouse.endpoint.route(dialect).path}",
                "status",
                after=error_after,
                times=5,
                code=503,
            )
        for packages, wanted in lives:
            warehouse.read(packages)
            life.pass_time(60)
            for what, number, other in wanted:
                if what == "edit":
                    life.edit(entity, number, other)
                elif what != "archive" or entity != "person":
                    getattr(life, what)(entity, number)
        box.clear_faults()
        life.pass_time(60)
        assert warehouse.read()
        assert warehouse.read()  # what changed while the first load was under way
        found = warehouse.rows
        for id_, update_time in _account(box, entity, is_archived=is_archived).items():
            if (entity, id_) not in life.silent:
                assert found.get(id_) == update_time, id_
