"""The account as it is, as plain JSON that follows no API's form: what a load must arrive at.

Only what the token's user can see is in it, and what is not deleted; archived leads and deals are
among the others. `gone` names the records that were deleted, merged away or converted, and what
became of them, whether a load ever saw them or not; one that is restored leaves it. Amounts are
decimal strings, times RFC 3339 in UTC (leads with milliseconds). Logical values of custom fields,
by type:

    varchar varchar_auto text phone   "text"
    double int                        1.5
    monetary                          {"value": "12.34", "currency": "EUR"}
    date / daterange                  "2024-02-29" / {"value": ..., "until": ...}
    time                              {"value": "09:30:00", "timezone_id": 110, "timezone_name": ..}
    timerange                         the same and "until"
    enum / set                        12 / [12, 13] (option ids, in the record's order)
    user people org                   7
    address                           {"value": ..., "street_number": ..., ...} (null: unknown part)
"""

from collections.abc import Sequence
from typing import Any

from sources.sandbox.account import Account
from sources.sandbox.definitions import Field, Option
from sources.sandbox.records import (
    Contact,
    Deal,
    Entity,
    Lead,
    Organization,
    Person,
    Pipeline,
    Record,
    Stage,
    iso,
    iso_ms,
)
from sources.sandbox.state import LEAD_SOURCES
from sources.sandbox.values import VALUE_TYPES, address_object


def truth(account: Account) -> dict[str, Any]:
    """Give the whole account as a JSON-able dict."""
    with account.lock:
        return {
            "users": [
                {"id": x.id, "name": x.name, "email": x.email, "is_active": x.is_active}
                for x in account.users
            ],
            "lead_labels": [
                {"id": x.id, "name": x.name, "color": x.color} for x in account.lead_labels
            ],
            "lead_sources": list(LEAD_SOURCES),
            "currencies": [
                {
                    "id": x.id,
                    "code": x.code,
                    "name": x.name,
                    "decimal_points": x.decimal_points,
                    "symbol": x.symbol,
                }
                for x in account.currencies
            ],
            "fields": {x: _fields(account.custom_fields(x)) for x in _FIELD_OWNERS},
            "labels": {
                x: _options(account.field(x, "label_ids").options or []) for x in _FIELD_OWNERS
            },
            "persons": [_person(account, x) for x in account.visible("person")],
            "organizations": [_organization(account, x) for x in account.visible("organization")],
            "leads": [_lead(account, x) for x in account.visible("lead")],
            "deals": [_deal(account, x) for x in account.visible("deal")],
            "pipelines": [_pipeline(x) for x in account.visible("pipeline")],
            "stages": [_stage(x) for x in account.visible("stage")],
            "gone": {f"{x}s": [_gone(y) for y in account.gone(x)] for x in _GONE},
        }


_FIELD_OWNERS: tuple[Entity, ...] = ("person", "organization", "deal")
_GONE: tuple[Entity, ...] = (*_FIELD_OWNERS, "lead")


def _options(options: Sequence[Option]) -> list[dict[str, Any]]:
    return [{"id": option.id, "label": option.label} for option in options]


def _fields(fields: Sequence[Field]) -> list[dict[str, Any]]:
    return [
        {
            "key": field.key,
            "name": field.name,
            "field_type": field.field_type,
            "options": _options(field.options or ()),
        }
        for field in fields
    ]


def _contacts(contacts: Sequence[Contact]) -> list[dict[str, Any]]:
    return [{"value": x.value, "label": x.label, "primary": x.primary} for x in contacts]


def _custom(account: Account, entity: Entity, record: Record) -> dict[str, Any]:
    return {
        field.key: VALUE_TYPES[field.field_type].logical(record.custom[field.key])
        for field in account.custom_fields(entity)
        if field.key in record.custom
    }


def _person(account: Account, person: Person) -> dict[str, Any]:
    return {
        "id": person.id,
        "name": person.name,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "owner_id": person.owner_id,
        "organization_id": person.organization_id,
        "emails": _contacts(person.emails),
        "phones": _contacts(person.phones),
        "label_ids": list(person.label_ids),
        "visible_to": person.visible_to,
        "picture_id": person.picture_id,
        "add_time": iso(person.add_time),
        "update_time": iso(person.update_time),
        "custom": _custom(account, "person", person),
    }


def _organization(account: Account, organization: Organization) -> dict[str, Any]:
    address = organization.address
    return {
        "id": organization.id,
        "name": organization.name,
        "owner_id": organization.owner_id,
        "address": address_object(address) if address else None,
        "label_ids": list(organization.label_ids),
        "visible_to": organization.visible_to,
        "website": organization.website,
        "linkedin": organization.linkedin,
        "industry": organization.industry,
        "annual_revenue": organization.annual_revenue,
        "employee_count": organization.employee_count,
        "add_time": iso(organization.add_time),
        "update_time": iso(organization.update_time),
        "custom": _custom(account, "organization", organization),
    }


def _value(record: Lead | Deal) -> dict[str, Any] | None:
    value = record.value
    return {"amount": str(value.value), "currency": value.currency} if value else None


def _lead(account: Account, lead: Lead) -> dict[str, Any]:
    return {
        "id": lead.id,
        "title": lead.title,
        "is_archived": lead.is_archived,
        "archive_time": iso_ms(lead.archive_time),
        "owner_id": lead.owner_id,
        "creator_id": lead.creator_id,
        "person_id": lead.person_id,
        "organization_id": lead.organization_id,
        "label_ids": list(lead.label_ids),
        "value": _value(lead),
        "expected_close_date": lead.expected_close_date,
        "next_activity_id": lead.next_activity_id,
        "source_name": lead.source_name,
        "source_deal_id": lead.source_deal_id,
        "origin": lead.origin,
        "origin_id": lead.origin_id,
        "channel": lead.channel,
        "channel_id": lead.channel_id,
        "was_seen": lead.was_seen,
        "visible_to": lead.visible_to,
        "add_time": iso_ms(lead.add_time),
        "update_time": iso_ms(lead.update_time),
        "custom": _custom(account, "lead", lead),
    }


def _deal(account: Account, deal: Deal) -> dict[str, Any]:
    return {
        "id": deal.id,
        "title": deal.title,
        "status": deal.status,
        "is_archived": deal.is_archived,
        "archive_time": iso(deal.archive_time),
        "owner_id": deal.owner_id,
        "creator_user_id": deal.creator_user_id,
        "person_id": deal.person_id,
        "organization_id": deal.organization_id,
        "pipeline_id": deal.pipeline_id,
        "stage_id": deal.stage_id,
        "value": _value(deal),
        "probability": deal.probability,
        "lost_reason": deal.lost_reason,
        "expected_close_date": deal.expected_close_date,
        "label_ids": list(deal.label_ids),
        "origin": deal.origin,
        "origin_id": deal.origin_id,
        "channel": deal.channel,
        "channel_id": deal.channel_id,
        "source_lead_id": deal.source_lead_id,
        "visible_to": deal.visible_to,
        "add_time": iso(deal.add_time),
        "update_time": iso(deal.update_time),
        "stage_change_time": iso(deal.stage_change_time),
        "close_time": iso(deal.close_time),
        "won_time": iso(deal.won_time),
        "lost_time": iso(deal.lost_time),
        "custom": _custom(account, "deal", deal),
    }


def _pipeline(pipeline: Pipeline) -> dict[str, Any]:
    return {
        "id": pipeline.id,
        "name": pipeline.name,
        "order_nr": pipeline.order_nr,
        "is_deal_probability_enabled": pipeline.is_deal_probability_enabled,
        "add_time": iso(pipeline.add_time),
        "update_time": iso(pipeline.update_time),
    }


def _stage(stage: Stage) -> dict[str, Any]:
    return {
        "id": stage.id,
        "name": stage.name,
        "pipeline_id": stage.pipeline_id,
        "order_nr": stage.order_nr,
        "deal_probability": stage.deal_probability,
        "is_deal_rot_enabled": stage.is_deal_rot_enabled,
        "days_to_rotten": stage.days_to_rotten,
        "add_time": iso(stage.add_time),
        "update_time": iso(stage.update_time),
    }


def _gone(record: Record) -> dict[str, Any]:
    if isinstance(record, Lead):
        return {
            "id": record.id,
            "deleted_time": iso_ms(record.delete_time),
            "converted_deal_id": record.converted_deal_id,
        }
    assert isinstance(record, Person | Organization | Deal)
    row = {
        "id": record.id,
        "deleted_time": iso(record.delete_time),
        "merged_into": record.merged_into,
    }
    if isinstance(record, Deal):
        row["converted_lead_id"] = record.converted_lead_id
    return row
