"""A budget that is too small for the first load: days of runs, none goes below the reserve."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from history_of_account import History
from projects import Project

from sources.pipedrive.errors import SourceError
from sources.sandbox import Sandbox

_ACCOUNT = {
    "persons": 300, "organizations": 150, "leads": 150, "archived_leads": 120, "deals": 150,
    "archived_deals": 60,
}  # fmt: skip
_DAY = 86_400
_RESERVE = 0.25


def _keys(api: str) -> dict[str, str]:
    """Small pages make records dear; definitions, that are as dear then, are read once."""
    definitions = ("deal_fields", "lead_fields", "person_fields", "organization_fields")
    cadences = {f"cadence__{name}": "1d" for name in (*definitions, "lead_labels")}
    return {"api": api, "page_size": "10", "package_rows": "40", **cadences}


@pytest.mark.parametrize("api", ["v2", "collection"])
def test_a_budget_of_forty_percent_loads_everything_in_three_days(api: str, tmp_path: Path) -> None:
    keys = _keys(api) | {"daily_reserve": str(_RESERVE)}
    with Sandbox(**_ACCOUNT, v2=api == "v2") as whole:
        Project(tmp_path / "whole", whole).run(**_keys(api))
        needed = whole.tokens_spent
    with Sandbox(**_ACCOUNT, v2=api == "v2") as box:
        project = Project(tmp_path, box)
        budget = round(0.4 * needed / (1 - _RESERVE))
        box.set_daily_tokens(budget)
        codes, loaded = [], [0]
        history = History(box, project, api)
        for _ in range(3):
            try:
                codes.append(project.run(**keys).exit_code)
            except SourceError as error:
                codes.append(error.exit_code)
            assert box.tokens_spent <= budget * (1 - _RESERVE)
            loaded.append(project.value("select count(*) from persons", published=True))
            box.account.advance(_DAY)
        assert codes == [75, 75, 0]
        assert loaded == sorted(loaded)
        history.begin()
        box.set_daily_tokens(10 * needed)
        history.run(lambda: project.run(**keys))
        history.settle(keys)


def test_a_whole_list_that_the_day_cannot_pay_is_put_off_and_changes_are_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Sandbox(**_ACCOUNT) as box:
        project = Project(tmp_path, box)
        keys = _keys("v2") | {"full_listing_pages": "0"}
        project.run(**keys)
        with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
            connection.execute("delete from ops.steps where step = 'reconcile'")
        person = box.account.visible("person")[0]
        box.account.advance(_DAY)
        box.set_daily_tokens(900)
        box.account.edit("person", person.id, name="Changed")
        capsys.readouterr()
        assert project.run(**keys).exit_code == 0
        assert "leads: the whole list is due and costs about 780 tokens" in (
            capsys.readouterr().err
        )
        assert project.value(
            f"select name from persons where id = {person.id}", published=True
        ) == ("Changed")


def test_the_next_run_says_what_it_goes_on_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Sandbox(**_ACCOUNT) as box:
        project = Project(tmp_path, box)
        box.fault("*/persons", "daily_429", times=None, after=12)
        assert project.run(**_keys("v2")).exit_code == 75
        box.clear_faults()
        rows = project.value("select count(*) from raw.persons")
        capsys.readouterr()
        assert project.run(**_keys("v2")).exit_code == 0
        assert f"persons: going on with the first load, {rows} rows are here" in (
            capsys.readouterr().err
        )
