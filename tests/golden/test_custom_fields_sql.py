"""Definitions in, SQL out: what the generator writes is reviewed as a diff.

`PIPEDUCK_REFRESH_GOLDEN=1 pytest tests/golden` writes the files anew.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from raw_account import Account, key, v1_field, v2_field

from transforms.custom_fields.definitions import ENTITIES, Entity
from transforms.runner import show

FOLDER = Path(__file__).parent / "custom_fields"
OPTIONS = [{"id": 1, "label": "Hot"}, {"id": 2, "label": "it's cold"}]


def account() -> Account:
    """Every field type on persons, v1 definitions on leads; one field renamed, one deleted."""
    account = Account()
    types = [
        *("varchar", "double", "monetary", "date", "daterange", "time", "timerange"),
        *("enum", "set", "user", "people", "org", "address", "brand_new"),
    ]
    fields = [v2_field(key(n), f"A {t}", t, options=OPTIONS) for n, t in enumerate(types)]
    account.listing("person_fields", *fields)
    account.listing(
        "deal_fields",
        v1_field(key(1), "Budget", "monetary"),
        {"key": f"{key(1)}_rate", "name": "Rate", "edit_flag": True, "is_subfield": True},
        v1_field(key(2), '"; drop table leads; --', "set"),
        v1_field(key(3), "budget"),
    )
    account.records("persons", {"id": 1, "custom_fields": {key(5): {"value": "10:00:00"}}})
    account.records("persons", {"id": 2}, api="collection")
    account.transform()
    fields[2] = v2_field(key(2), "Price", "monetary")
    account.listing("person_fields", *fields[:5], *fields[6:])
    account.transform()
    return account


@pytest.mark.parametrize("entity", ENTITIES)
def test_generated_sql_is_as_reviewed(entity: Entity) -> None:
    file = FOLDER / f"{entity}.sql"
    sql = show(account().connection, entity)
    if os.environ.get("PIPEDUCK_REFRESH_GOLDEN"):
        file.write_text(sql, encoding="utf-8")
    assert sql == file.read_text(encoding="utf-8")
