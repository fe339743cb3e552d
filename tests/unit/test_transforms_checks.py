"""Data checks: each finds the row made for it, and nothing in a sound account."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from raw_account import KEY, NOW, Account, key
from sound_account import failed, write_sound_account

from transforms.checks import load_checks

ROOT = Path(__file__).parents[2]


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


def test_a_sound_account_passes_all(account: Account) -> None:
    assert failed(account) == {}


def test_an_empty_file_passes_all() -> None:
    account = Account()
    account.transform()
    assert failed(account) == {}


REJECTED = (
    "insert into ops.rejected_values (entity, id, column_name, value, reason)"
    " select 'persons', range::varchar, 'birthday', 'x', '{reason}' from range({rows});"
    " insert into raw.persons by name select range + 100 as id, '1' as _dlt_load_id"
    " from range({records} - 2);"
    " insert into staging.persons by name select range + 100 as id from range({records} - 2);"
    " insert into staging.persons_custom_fields by name select range + 100 as id"
    " from range({records} - 2);"
)


def rejected(rows: int, records: int, reason: str = "not a DATE") -> str:
    return REJECTED.format(rows=rows, records=records, reason=reason)


def tombstone(entity: str, id_: str, *, merged_into: str = "null") -> str:
    return (
        "insert into ops.tombstones (entity, id, reason, deleted_time, merged_into_id)"
        f" values ('{entity}', '{id_}', 'deleted', now(), {merged_into});"
    )


REPEATED = {"rows": 2}
FUTURE = "timestamptz '2026-06-02 12:00:01+00'"
BROKEN: list[tuple[str, str, dict[str, Any]]] = [
    *(
        (
            "unique_ids",
            f"insert into staging.{table} from staging.{table} limit 1",
            {"table_name": shown, **REPEATED},
        )
        for table, shown in (
            *((entity, entity) for entity in ("leads", "persons", "organizations", "deals")),
            *(
                (f"{entity}_custom_fields", f"{entity} (custom fields)")
                for entity in ("leads", "persons", "organizations", "deals")
            ),
            *((name, name) for name in ("users", "lead_labels", "lead_sources", "currencies")),
            *((name, name) for name in ("pipelines", "stages")),
        )
    ),
    (
        "unique_ids",
        "update staging.currencies set id = null",
        {"table_name": "currencies", "id": None, "rows": 1},
    ),
    (
        "unique_ids",
        tombstone("persons", "9") + tombstone("persons", "9"),
        {"table_name": "tombstones of persons", "id": "9", **REPEATED},
    ),
    (
        "unique_contacts",
        "insert into staging.persons from staging.persons where id = 2",
        {"table_name": "person_emails", "person_id": 2, "position": 1, **REPEATED},
    ),
    (
        "unique_contacts",
        "create or replace view crm.person_phones as select null as person_id, 1 as position",
        {"table_name": "person_phones", "person_id": None, "position": 1, "rows": 1},
    ),
    (
        "unique_custom_fields",
        "insert into ops.custom_columns"
        " select * replace ('cf_other' as column_name) from ops.custom_columns"
        " where entity = 'deals'",
        {"entity": "deals", "key": KEY, "column_name": None, **REPEATED},
    ),
    (
        "unique_custom_fields",
        f"insert into ops.custom_columns select * replace ('{key(1)}' as key,"
        " upper(column_name) as column_name) from ops.custom_columns where entity = 'deals'",
        {"entity": "deals", "key": None, "column_name": "cf_budget", **REPEATED},
    ),
    (
        "unique_options",
        "insert into ops.custom_field_options from ops.custom_field_options where entity = 'deals'",
        {"entity": "deals", "key": KEY, "option_id": "1", **REPEATED},
    ),
    (
        "missing_rows",
        "delete from staging.leads where id = 'b'",
        {"table_name": "leads", "records": 2, "rows": 1, "custom_rows": 2},
    ),
    (
        "missing_rows",
        "delete from staging.deals_custom_fields",
        {"table_name": "deals", "records": 2, "rows": 2, "custom_rows": 0},
    ),
    (
        "missing_rows",
        "delete from staging.persons where id = 2",
        {"table_name": "persons", "records": 2, "rows": 1, "custom_rows": 2},
    ),
    (
        "missing_rows",
        "insert into raw.organizations by name select 4 as id, '1' as _dlt_load_id",
        {"table_name": "organizations", "records": 2, "rows": 1, "custom_rows": 1},
    ),
    (
        "lead_statuses",
        "create or replace view crm.leads as select 'a' as id, 'lost' as status,"
        " false as is_deleted, null as deleted_time",
        {"id": "a", "status": "lost"},
    ),
    (
        "lead_statuses",
        "create or replace view crm.leads as select 'a' as id, null as status,"
        " false as is_deleted, null as deleted_time",
        {"id": "a", "status": None},
    ),
    (
        "deleted_leads",
        "create or replace view crm.leads as select 'a' as id, 'deleted' as status,"
        " true as is_deleted, null as deleted_time",
        {"id": "a", "is_deleted": True, "deleted_time": None},
    ),
    (
        "deleted_leads",
        "create or replace view crm.leads as select 'a' as id, 'open' as status,"
        " false as is_deleted, date '2026-01-01' as deleted_time",
        {"id": "a", "is_deleted": False, "deleted_time": "2026-01-01"},
    ),
    (
        "deal_statuses",
        "update staging.deals set status = 'pending' where id = 7",
        {"id": 7, "status": "pending"},
    ),
    *(
        (
            "dangling_references",
            f"update staging.{entity} set {column} = 77 where id = '{id_}'",
            {"entity": entity, "id": id_, "column_name": column, "refers_to": 77},
        )
        for entity, id_, columns in (
            ("leads", "a", ("person_id", "organization_id", "owner_id")),
            ("persons", "2", ("organization_id", "owner_id")),
            ("organizations", "3", ("owner_id",)),
            ("deals", "7", ("person_id", "organization_id", "owner_id", "pipeline_id", "stage_id")),
        )
        for column in columns
    ),
    *(
        (
            "merged_into_itself",
            f"update staging.{entity} set merged_into_id = id where id = {id_}",
            {"entity": entity, "id": str(id_)},
        )
        for entity, id_ in (("persons", 2), ("organizations", 3), ("deals", 7))
    ),
    (
        "merged_into_itself",
        tombstone("persons", "2", merged_into="2"),
        {"entity": "persons", "id": "2"},
    ),
    *(
        (
            "future_times",
            f"update staging.{entity} set {column} = {FUTURE} where id = '{id_}'",
            {"entity": entity, "id": id_},
        )
        for entity, id_, column in (
            ("leads", "a", "update_time"),
            ("persons", "2", "add_time"),
            ("organizations", "3", "update_time"),
            ("deals", "7", "add_time"),
        )
    ),
    (
        "values_mostly_rejected",
        rejected(101, 200),
        {"entity": "persons", "column_name": "birthday", "rejected": 101, "records": 200},
    ),
    (
        "values_often_rejected",
        rejected(20, 399),
        {"entity": "persons", "column_name": "birthday", "rejected": 20, "records": 399},
    ),
]


@pytest.mark.parametrize(("name", "sql", "row"), BROKEN)
def test_each_check_finds_the_row_made_for_it(
    account: Account, name: str, sql: str, row: dict[str, Any]
) -> None:
    account.connection.execute(sql)
    found = failed(account)
    assert name in found
    assert row.items() <= found[name][0].items()


def test_every_check_has_a_row_made_for_it() -> None:
    assert {name for name, _, _ in BROKEN} == {check.name for check in load_checks()}


@pytest.mark.parametrize(
    ("sql", "share", "names"),
    [
        (rejected(100, 200), 0.5, {"values_often_rejected"}),
        (rejected(99, 150), 0.5, {"values_often_rejected"}),
        (rejected(150, 150), 1.0, {"values_often_rejected"}),
        (rejected(101, 1000), 0.1, {"values_mostly_rejected"}),
        (rejected(150, 150, "rounded"), 0.5, set()),
        (rejected(20, 400), 0.5, set()),
        (rejected(19, 30), 0.5, set()),
    ],
)
def test_rejected_values_are_measured_by_share_and_by_number(
    account: Account, sql: str, share: float, names: set[str]
) -> None:
    account.connection.execute(sql)
    assert failed(account, share).keys() == names


def test_references_of_gone_records_may_dangle(account: Account) -> None:
    account.connection.execute(
        "update staging.leads set person_id = 77;"
        "update staging.persons set organization_id = 77;"
        "update staging.organizations set owner_id = 77;"
        "update staging.deals set stage_id = 77;"
    )
    assert len(failed(account)["dangling_references"]) == 5
    for entity, id_ in (
        *(("leads", "a"), ("leads", "b"), ("persons", "2"), ("organizations", "3")),
        ("deals", "7"),
    ):
        account.connection.execute(tombstone(entity, id_))
    assert failed(account) == {}


def test_references_to_what_is_not_loaded_may_dangle(account: Account) -> None:
    for table in ("persons", "organizations", "users", "pipelines", "stages"):
        account.connection.execute(f"delete from staging.{table}")
    assert "dangling_references" not in failed(account)


def test_times_within_a_day_are_of_clocks_that_differ(account: Account) -> None:
    account.connection.execute("update staging.leads set update_time = $at", {"at": NOW})
    account.connection.execute(
        "update staging.deals set add_time = $at", {"at": NOW + timedelta(days=1)}
    )
    assert failed(account) == {}


def test_the_documents_list_every_check_with_its_severity_and_promise() -> None:
    text = (ROOT / "docs" / "checks.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| ([^|]+) \|", text, re.MULTILINE)
    assert rows == [(c.name, c.severity, c.description) for c in load_checks()]
