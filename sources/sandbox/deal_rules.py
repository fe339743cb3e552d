"""What follows when the status, stage or pipeline of a deal changes."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sources.sandbox.records import DEAL_STATUSES, NO_VALUE, Deal
from sources.sandbox.state import AccountError, State


@dataclass(frozen=True, slots=True)
class Place:
    """Where a deal stands."""

    status: str
    pipeline_id: int
    stage_id: int


def place(deal: Deal) -> Place:
    """Give where a deal stands now."""
    return Place(deal.status, deal.pipeline_id, deal.stage_id)


def put_back(deal: Deal, before: Place) -> None:
    """Let the deal stand where it stood."""
    deal.status, deal.pipeline_id = before.status, before.pipeline_id
    deal.stage_id = before.stage_id


def first_place(account: State, given: Mapping[str, Any]) -> dict[str, int]:
    """Give pipeline and stage of a new deal; raises AccountError where there is none."""
    stage = account.stages.get(given.get("stage_id", 0))
    if stage is None or stage.is_deleted:
        stage = account.first_stage(given.get("pipeline_id"))
    return {"pipeline_id": stage.pipeline_id, "stage_id": stage.id}


def settle(
    account: State, deal: Deal, before: Place, given: AbstractSet[str], moment: datetime
) -> None:
    """Make the deal agree with itself after a change; attributes in `given` stay as they are.

    A stage brings its pipeline and a pipeline its first stage. Won and lost deals have the time
    of that and of closing, open ones none of them; only lost ones have a reason. Raises
    AccountError for a status or a stage that there is not.
    """
    if deal.value is None:
        deal.value = NO_VALUE
    if deal.status not in DEAL_STATUSES:
        raise AccountError(f"a deal is {', '.join(DEAL_STATUSES)}, not {deal.status!r}")
    if "stage_id" in given:
        stage = account.stages.get(deal.stage_id)
        if stage is None or stage.is_deleted:
            raise AccountError(f"there is no stage {deal.stage_id!r}")
        if "pipeline_id" in given and deal.pipeline_id != stage.pipeline_id:
            raise AccountError(f"stage {stage.id} is not in pipeline {deal.pipeline_id!r}")
        deal.pipeline_id = stage.pipeline_id
    elif deal.pipeline_id != before.pipeline_id:
        deal.stage_id = account.first_stage(deal.pipeline_id).id
    if deal.stage_id != before.stage_id and "stage_change_time" not in given:
        deal.stage_change_time = moment
    if deal.status != before.status:
        follows = {
            "close_time": None if deal.status == "open" else moment,
            "won_time": moment if deal.status == "won" else None,
            "lost_time": moment if deal.status == "lost" else None,
        }
        if deal.status != "lost":
            follows["lost_reason"] = None
        for name in follows.keys() - given:
            setattr(deal, name, follows[name])
