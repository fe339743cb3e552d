"""v2 or collection: the one that is served, remembered, and no matter which for what is stored."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from projects import Project

from sources.sandbox import Sandbox

Make = Callable[[Sandbox], Project]


@pytest.mark.parametrize(
    "status", [404, *(pytest.param(code, marks=pytest.mark.thorough) for code in (405, 410, 501))]
)
def test_auto_takes_the_dialect_that_is_served_and_remembers_it(
    project_of: Make, status: int
) -> None:
    with Sandbox(persons=10, v2=False, v2_status=status) as box:
        project = project_of(box)
        project.run()
        assert project.value("select distinct api from raw.persons") == "collection"
        assert project.value("select dialect from ops.runs") == "collection"
        before = len(box.requests)
        project.run()
        assert not [r for r in box.requests[before:] if "/v2/" in r.path]
        box.serve("v2", True)
        box.serve("collection", False)
        result = project.run()
        assert result.exit_code == 0
        assert (
            project.value(f"select dialect from ops.runs where run_id = '{result.run_id}'") == "v2"
        )


def test_switching_the_dialect_neither_loses_nor_repeats(project_of: Make) -> None:
    with Sandbox(persons=30, organizations=10) as box:
        project = project_of(box)
        for api in ("v2", "collection", "v2", "collection"):
            box.account.edit("person", 4, name=f"Before {api}")
            project.run(api=api)
            assert project.value("select count(*) from raw.persons") == 30
            assert project.value("select payload ->> 'name' from raw.persons where id = 4") == (
                f"Before {api}"
            )


def test_auto_does_not_remember_what_was_only_asked_for(project_of: Make) -> None:
    with Sandbox(persons=3) as box:
        project = project_of(box)
        project.run(api="collection")
        project.run(api="auto")
        assert project.value("select distinct api from raw.persons") == "v2"
