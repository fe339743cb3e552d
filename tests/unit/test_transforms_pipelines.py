"""Pipelines and stages: every shape they come in, and what becomes of those that are gone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from raw_account import Account

ADD = datetime(2026, 5, 15, 9, 55, 2, tzinfo=UTC)


@pytest.fixture
def account() -> Account:
    return Account()


PIPELINE: dict[str, Any] = {
    "v2": {"id": 7, "name": "Sales", "order_nr": 2, "is_deal_probability_enabled": True}
    | {"is_deleted": False, "add_time": "2026-05-15T09:55:02Z", "update_time": None},
    "v1": {"id": 7, "name": "Sales", "order_nr": 2, "deal_probability": True, "active": True}
    | {"url_title": "s", "add_time": "2026-05-15 09:55:02", "update_time": None},
}
STAGE: dict[str, Any] = {
    "v2": {"id": 31, "name": "Offer", "order_nr": 1, "pipeline_id": 7, "deal_probability": 30}
    | {"is_deal_rot_enabled": True, "days_to_rotten": 9, "is_deleted": False}
    | {"add_time": "2026-05-15T09:55:02Z", "update_time": "2026-05-15T09:55:02Z"},
    "v1": {"id": 31, "name": "Offer", "order_nr": 1, "pipeline_id": 7, "deal_probability": 30}
    | {"rotten_flag": True, "rotten_days": 9, "active_flag": True}
    | {"add_time": "2026-05-15 09:55:02", "update_time": "2026-05-15 09:55:02"},
}


@pytest.mark.parametrize("api", ["v2", "v1"])
def test_pipelines_and_stages_are_the_same_in_every_shape(account: Account, api: str) -> None:
    account.listing("pipelines", PIPELINE[api])
    account.listing("stages", STAGE[api])
    account.transform()
    assert account.rows(
        "select * replace (epoch(add_time) as add_time, epoch(update_time) as update_time)"
        " from crm.pipelines"
    ) == [(7, "Sales", 2, True, False, ADD.timestamp(), None)]
    assert account.rows(
        "select * replace (epoch(add_time) as add_time, epoch(update_time) as update_time)"
        " from crm.stages"
    ) == [(31, "Offer", 7, "Sales", 1, 30, True, 9, False, ADD.timestamp(), ADD.timestamp())]
    assert account.rejected() == []


def test_pipelines_and_stages_that_are_gone_stay_and_say_so(account: Account) -> None:
    account.listing("pipelines", {"id": 1, "name": "A"}, {"id": 2, "name": "B"})
    account.listing(
        "stages",
        {"id": 1, "name": "a", "pipeline_id": 1},
        {"id": 2, "name": "b", "pipeline_id": 2, "is_deleted": True},
        {"id": 3, "name": "c", "pipeline_id": 2, "active_flag": False},
    )
    account.records("deals", {"id": 1, "pipeline_id": 1, "stage_id": 1})
    account.transform()
    account.listing("pipelines", {"id": 2, "name": "B2"})
    account.listing("stages", *({"id": i, "pipeline_id": 2, "is_deleted": i == 3} for i in (2, 3)))
    account.transform()
    assert account.rows("select id, name, is_deleted from crm.pipelines order by id") == [
        (1, "A", True),
        (2, "B2", False),
    ]
    assert account.rows("select id, pipeline_name, is_deleted from crm.stages order by id") == [
        (1, "A", True),
        (2, "B2", False),
        (3, "B2", True),
    ]
    assert account.rows("select pipeline_name, stage_name from crm.deals") == [("A", "a")]


def test_a_value_of_a_pipeline_or_stage_that_does_not_fit_is_rejected(account: Account) -> None:
    account.listing("pipelines", {"id": 1, "order_nr": "x", "is_deal_probability_enabled": 7})
    account.listing(
        "stages", {"id": 1, "pipeline_id": "x", "deal_probability": "x", "days_to_rotten": 1.5}
    )
    account.transform()
    assert account.rows(
        "select entity, column_name, value from crm.rejected_values order by all"
    ) == [
        ("pipelines", "is_deal_probability_enabled", "7"),
        ("pipelines", "order_nr", "x"),
        ("stages", "days_to_rotten", "1.5"),
        ("stages", "deal_probability", "x"),
        ("stages", "pipeline_id", "x"),
    ]
