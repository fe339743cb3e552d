"""Deals, pipelines and stages in the forms of the API.

Keys and types follow the recorded v2 deal and stages and the recorded v1 deals; what a plan adds
(`arr`, `mrr`, `acv`) is not sent.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from sources.sandbox.records import Deal, Pipeline, Stage, iso, spaced
from sources.sandbox.shapes import CC_EMAIL, CustomForms
from sources.sandbox.values import json_number

_COMPANY_OFFSET = timedelta(hours=3)
"""What `timezone_offset` of the users says."""


def _local_date(moment: datetime | None) -> str | None:
    return None if moment is None else (moment + _COMPANY_OFFSET).date().isoformat()


def _common(deal: Deal, time: Callable[[datetime | None], str | None]) -> dict[str, object]:
    """Write what v1 and v2 have alike; `time` writes a time."""
    return {
        "id": deal.id,
        "creator_user_id": deal.creator_user_id,
        "person_id": deal.person_id,
        "org_id": deal.organization_id,
        "stage_id": deal.stage_id,
        "pipeline_id": deal.pipeline_id,
        "title": deal.title,
        "value": json_number(deal.value.value),
        "currency": deal.value.currency,
        "add_time": time(deal.add_time),
        "update_time": time(deal.update_time),
        "stage_change_time": time(deal.stage_change_time),
        "status": "deleted" if deal.is_deleted else deal.status,
        "probability": deal.probability,
        "lost_reason": deal.lost_reason,
        "close_time": time(deal.close_time),
        "won_time": time(deal.won_time),
        "lost_time": time(deal.lost_time),
        "local_won_date": _local_date(deal.won_time),
        "local_lost_date": _local_date(deal.lost_time),
        "local_close_date": _local_date(deal.close_time),
        "expected_close_date": deal.expected_close_date,
        "origin": deal.origin,
        "origin_id": deal.origin_id,
        "channel": deal.channel,
        "channel_id": deal.channel_id,
        "is_archived": deal.is_archived,
        "archive_time": time(deal.archive_time),
    }


def v2_deal(deal: Deal, forms: CustomForms) -> dict[str, object]:
    """Write a deal of `GET /api/v2/deals` and `/api/v2/deals/archived`."""
    return {
        **_common(deal, iso),
        "owner_id": deal.owner_id,
        "visible_to": deal.visible_to,
        "is_deleted": deal.is_deleted,
        "label_ids": deal.label_ids,
        "custom_fields": forms.nested(deal.custom),
    }


def v2_deal_with_source(deal: Deal, forms: CustomForms) -> dict[str, object]:
    """Write a deal as `include_fields=source_lead_id` asks for it."""
    return {**v2_deal(deal, forms), "source_lead_id": deal.source_lead_id}


def v1_deal(deal: Deal, forms: CustomForms) -> dict[str, object]:
    """Write a deal of `GET /v1/recents`: it has no `delete_time` and no `active_flag`."""
    return {
        **_common(deal, spaced),
        "user_id": deal.owner_id,
        "visible_to": str(deal.visible_to),
        "active": deal.status == "open" and not deal.is_deleted,
        "deleted": deal.is_deleted,
        "label": ",".join(map(str, deal.label_ids)) or None,
        "source_lead_id": deal.source_lead_id,
        "cc_email": CC_EMAIL.replace("@", f"+deal{deal.id}@"),
        **forms.flat(deal.custom),
    }


def v2_pipeline(pipeline: Pipeline, _: CustomForms) -> dict[str, object]:
    """Write a pipeline of `GET /api/v2/pipelines`."""
    return {
        "id": pipeline.id,
        "name": pipeline.name,
        "order_nr": pipeline.order_nr,
        "is_deleted": pipeline.is_deleted,
        "is_deal_probability_enabled": pipeline.is_deal_probability_enabled,
        "add_time": iso(pipeline.add_time),
        "update_time": iso(pipeline.update_time),
    }


def v2_stage(stage: Stage, _: CustomForms) -> dict[str, object]:
    """Write a stage of `GET /api/v2/stages`."""
    return {
        "id": stage.id,
        "name": stage.name,
        "order_nr": stage.order_nr,
        "pipeline_id": stage.pipeline_id,
        "deal_probability": stage.deal_probability,
        "is_deal_rot_enabled": stage.is_deal_rot_enabled,
        "days_to_rotten": stage.days_to_rotten,
        "is_deleted": stage.is_deleted,
        "add_time": iso(stage.add_time),
        "update_time": iso(stage.update_time),
    }
