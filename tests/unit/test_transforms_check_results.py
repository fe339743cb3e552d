"""Running data checks: what is counted, kept, noted and told, and what their headers say."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from raw_account import NOW, Account
from sound_account import check_all, write_sound_account

from transforms.checks import Check, CheckResult, load_checks, parse_check, told
from transforms.models import load_models
from warehouse.errors import ModelError


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "warehouse.duckdb"
    write_sound_account(path)
    return path


@pytest.fixture
def account(sound: Path, tmp_path: Path) -> Iterator[Account]:
    """A copy of the sound account, to be broken."""
    account = Account(shutil.copy(sound, tmp_path))
    yield account
    account.connection.close()


def test_the_rest_of_many_failing_rows_is_counted(account: Account) -> None:
    account.connection.execute(
        "insert into staging.users by name select range % 12 + 20 as id from range(24)"
    )
    result = check_all(account)["unique_ids"]
    assert (result.failing_rows, len(result.sample)) == (12, 5)
    assert [row["id"] for row in result.sample] == ["20", "21", "22", "23", "24"]
    assert result.is_failed
    assert result.is_error


def test_a_warning_that_fails_is_no_error(account: Account) -> None:
    account.connection.execute("update staging.deals set status = 'x' where id = 7")
    result = check_all(account)["deal_statuses"]
    assert result.is_failed
    assert not result.is_error


def test_the_ledger_has_a_row_for_each_check(account: Account) -> None:
    account.connection.execute("update staging.deals set status = 'Ä' where id = 7")
    results = check_all(account)
    rows = account.rows(
        "select run_id, name, severity, description, failing_rows, is_ok, epoch(checked_time)"
        " from crm.sync_checks"
    )
    assert rows == [
        (
            *("run", r.name, r.severity, r.description),
            *(r.failing_rows, not r.is_failed, NOW.timestamp()),
        )
        for r in results.values()
    ]
    samples = dict(account.rows("select name, sample from crm.sync_checks"))
    assert json.loads(samples.pop("deal_statuses")) == [{"id": 7, "status": "Ä"}]
    assert set(samples.values()) == {None}


def test_a_run_that_checks_again_has_its_newest_results(account: Account) -> None:
    account.connection.execute("update staging.deals set status = 'x' where id = 7")
    check_all(account)
    account.connection.execute("update staging.deals set status = 'lost' where id = 7")
    check_all(account)
    assert account.one("select count(*) from ops.checks") == len(load_checks())
    assert account.one("select sum(failing_rows) from ops.checks") == 0


def test_results_of_the_newest_hundred_runs_are_kept(account: Account) -> None:
    account.connection.execute(
        "insert into ops.checks (run_id, name, severity, description, failing_rows, checked_time)"
        " select 'old' || range, 'x', 'warn', 'x', 0, $now - (range + 1) * interval 1 hour"
        " from range(105)",
        {"now": NOW},
    )
    check_all(account, run_id="new")
    runs = {run for (run,) in account.rows("select distinct run_id from ops.checks")}
    assert runs == {"new", *(f"old{number}" for number in range(99))}


def test_a_check_that_does_not_run_is_told_by_its_name_and_nothing_is_noted(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = [*load_checks()[:1], Check("nonsense", "select 1 from nowhere", "warn", "It runs.")]
    monkeypatch.setattr("transforms.checks.load_checks", lambda: checks)
    with pytest.raises(ModelError, match=r"check nonsense does not run: .*nowhere"):
        check_all(account)
    assert account.one("select count(*) from ops.checks") == 0


def test_a_sample_shows_times_and_money_as_text_and_numbers(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql = "select timestamptz '2026-01-01 00:00:00+00' as at, 1.5::decimal(18, 4) as v, [1] as l"
    monkeypatch.setattr("transforms.checks.load_checks", lambda: [Check("x", sql, "warn", "X.")])
    account.connection.execute("set timezone = 'UTC'")
    ((row,),) = (result.sample for result in check_all(account).values())
    assert row == {"at": "2026-01-01 00:00:00+00", "v": 1.5, "l": [1]}


RESULT = CheckResult("lead_statuses", "error", "A lead is open.", 1, ({"id": "a", "status": None},))


def test_what_failed_is_told_errors_first_with_a_few_of_its_rows() -> None:
    rows = tuple({"id": number, "name": "Una\n\x1b[31m Ö"} for number in range(5))
    warning = CheckResult("a_warning", "warn", "All is well.", 1205, rows)
    assert told([warning, replace(RESULT, name="fine", failing_rows=0, sample=()), RESULT]) == [
        "error: lead_statuses, 1 row. A lead is open.",
        "  id=a status=null",
        "warn: a_warning, 1,205 rows. All is well.",
        "  id=0 name=Una [31m Ö",
        "  id=1 name=Una [31m Ö",
        "  id=2 name=Una [31m Ö",
        "  and 1,202 more",
    ]


def test_long_values_are_cut() -> None:
    (_, line) = told([replace(RESULT, sample=({"id": "x" * 100, "status": ["y"] * 100},))])
    assert re.fullmatch(r"  id=x{39}… status=\[\"y\".*…", line)
    assert len(line) < 100


GOOD = "-- A lead is open.\n--\n-- More: words.\n--\n-- severity: error\n\nselect 1 as id\n"


def test_a_header_says_what_a_check_is() -> None:
    assert parse_check("x", GOOD) == Check("x", "select 1 as id\n", "error", "A lead is open.")


@pytest.mark.parametrize(
    ("text", "words", "hint"),
    [
        (GOOD.replace("severity", "severty"), "'severty'", "'severity'"),
        (GOOD.replace("severity", "columns"), "'columns'", "Known are severity"),
        (GOOD.replace("error", "fatal"), "'fatal'", "error, warn"),
        (GOOD.replace("-- severity: error\n", ""), "which is none", "severity"),
        (GOOD.replace("-- severity", "-- severity: warn\n-- severity"), "twice", "Remove"),
        (GOOD.replace("-- A lead is open.\n", ""), "what must hold", "checks/x.sql"),
        ("select 1", "what must hold", "Start"),
    ],
)
def test_a_bad_header_is_an_error_that_tells_the_fix(text: str, words: str, hint: str) -> None:
    with pytest.raises(ModelError, match=words) as error:
        parse_check("x", text)
    assert error.value.message.startswith("The check x")
    assert hint in error.value.hint


def test_checks_are_no_models() -> None:
    assert {name.partition(".")[0] for name in load_models()} == {"staging", "crm"}
