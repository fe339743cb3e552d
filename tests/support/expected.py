"""What `crm` must hold, worked out from the sandbox's truth by other code than the transforms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

Row = dict[str, Any]
NOT_SENT_BY_COLLECTION = {
    "persons": {"first_name", "last_name"},
    "organizations": {"website", "linkedin", "industry", "annual_revenue", "employee_count"},
    "leads": set[str](),
    "deals": set[str](),  # read through v2, whatever the dialect
}
ADDRESS_PARTS = (
    "street_number",
    "route",
    "sublocality",
    "locality",
    "admin_area_level_1",
    "admin_area_level_2",
    "country",
    "postal_code",
    "subpremise",
    "formatted_address",
)
FIELDS_OF = {
    "persons": "person",
    "organizations": "organization",
    "leads": "deal",
    "deals": "deal",
}


@dataclass(frozen=True)
class Known:
    """What a warehouse knows beyond the present truth, because it loaded before.

    `names` has, by public table, the names by id that stand in for those of the truth. `labels`
    are the last labels by key of the field and id of the option; `label_ids` of an entity is the
    key of its labels, as in `person.label_ids`.
    """

    names: Mapping[str, Mapping[int, str | None]] = field(default_factory=dict)
    labels: Mapping[tuple[str, int], str] = field(default_factory=dict)


def expected(
    truth: Row, entity: str, column_of: Mapping[str, str], known: Known | None = None
) -> dict[Any, Row]:
    """The rows of `crm.<entity>` by id; `column_of` gives the column of a field's key."""
    names = _Names(truth, known or Known())
    fields = truth["fields"][FIELDS_OF[entity]]
    build = _BUILDERS[entity]
    rows = {}
    for record in truth[entity]:
        row = _common(record, names) | build(record, names)
        for defined in fields:
            # v1 sends no name of a time zone: leads, and everything of the collection endpoints
            has_zone = entity != "leads"
            value = record["custom"].get(defined["key"])
            row |= _custom(defined, column_of[defined["key"]], value, names, has_zone)
        rows[record["id"]] = row
    return rows


class _Names:
    def __init__(self, truth: Row, known: Known) -> None:
        def named(table: str) -> Mapping[int, str | None]:
            present = {row["id"]: row["name"] for row in truth[table]}
            return known.names.get(table, present)

        self.users = {user["id"]: user["name"] for user in truth["users"]}
        self.persons = named("persons")
        self.organizations = named("organizations")
        self.pipelines = named("pipelines")
        self.stages = named("stages")
        self.lead_labels = {label["id"]: label["name"] for label in truth["lead_labels"]}
        self.options = dict(known.labels)
        for entity, options in truth["labels"].items():
            self.options |= {(f"{entity}.label_ids", o["id"]): o["label"] for o in options}
        for fields in truth["fields"].values():
            for defined in fields:
                self.options |= {(defined["key"], o["id"]): o["label"] for o in defined["options"]}

    def labels(self, key: str, ids: list[int]) -> list[str]:
        """The labels of options, the last known where one is deleted."""
        return [self.options.get((key, i), f"unknown option {i}") for i in ids]


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


def _money(text: str) -> Decimal:
    return Decimal(text).quantize(Decimal("0.0001"))


def _common(record: Row, names: _Names) -> Row:
    return {
        "id": record["id"],
        "owner_id": record["owner_id"],
        "owner_name": names.users.get(record["owner_id"]),
        "label_ids": record["label_ids"],
        "visible_to": record["visible_to"],
        "add_time": _moment(record["add_time"]),
        "update_time": _moment(record["update_time"]),
        "is_deleted": False,
        "deleted_time": None,
    }


def _contacts(contacts: list[Row]) -> list[Row]:
    return [
        {"value": c["value"], "label": c["label"], "is_primary": c["primary"]} for c in contacts
    ]


def _primary(contacts: list[Row]) -> str | None:
    flagged = [c["value"] for c in contacts if c["primary"]]
    return next(iter([*flagged, *(c["value"] for c in contacts)]), None)


def _person(record: Row, names: _Names) -> Row:
    return {
        "name": record["name"],
        "first_name": record["first_name"],
        "last_name": record["last_name"],
        "organization_id": record["organization_id"],
        "organization_name": names.organizations.get(record["organization_id"]),
        "emails": _contacts(record["emails"]),
        "phones": _contacts(record["phones"]),
        "primary_email": _primary(record["emails"]),
        "primary_phone": _primary(record["phones"]),
        "labels": names.labels("person.label_ids", record["label_ids"]),
        "picture_id": record["picture_id"],
        "merged_into_id": None,
    }


def _organization(record: Row, names: _Names) -> Row:
    address = record["address"] or {}
    row = {
        name: record[name]
        for name in ("name", "website", "linkedin", "industry", "annual_revenue", "employee_count")
    }
    row |= {"address": address.get("value")}
    row |= {f"address_{part}": address.get(part) for part in ADDRESS_PARTS}
    row["labels"] = names.labels("organization.label_ids", record["label_ids"])
    row["merged_into_id"] = None
    return row


def _lead(record: Row, names: _Names) -> Row:
    value = record["value"] or {}
    row = {
        name: record[name]
        for name in (
            "title", "is_archived", "creator_id", "person_id", "organization_id", "source_name",
            "origin", "origin_id", "channel", "channel_id", "source_deal_id", "was_seen",
            "next_activity_id",
        )
    }  # fmt: skip
    close = record["expected_close_date"]
    return row | {
        "status": "archived" if record["is_archived"] else "open",
        "archive_time": _moment(record["archive_time"]),
        "creator_name": names.users.get(record["creator_id"]),
        "person_name": names.persons.get(record["person_id"]),
        "organization_name": names.organizations.get(record["organization_id"]),
        "labels": [names.lead_labels[i] for i in record["label_ids"]],
        "value": _money(value["amount"]) if value else None,
        "currency": value.get("currency"),
        "expected_close_date": date.fromisoformat(close) if close else None,
        "converted_deal_id": None,
    }


def _deal(record: Row, names: _Names) -> Row:
    value = record["value"] or {}
    row = {
        name: record[name]
        for name in (
            "title", "status", "is_archived", "person_id", "organization_id", "pipeline_id",
            "stage_id", "probability", "lost_reason", "origin", "origin_id", "channel",
            "channel_id", "source_lead_id",
        )
    }  # fmt: skip
    row |= {
        name: _moment(record[name])
        for name in ("archive_time", "stage_change_time", "close_time", "won_time", "lost_time")
    }
    close = record["expected_close_date"]
    return row | {
        "creator_id": record["creator_user_id"],
        "creator_name": names.users.get(record["creator_user_id"]),
        "person_name": names.persons.get(record["person_id"]),
        "organization_name": names.organizations.get(record["organization_id"]),
        "pipeline_name": names.pipelines.get(record["pipeline_id"]),
        "stage_name": names.stages.get(record["stage_id"]),
        "labels": names.labels("deal.label_ids", record["label_ids"]),
        "value": _money(value["amount"]) if value else None,
        "currency": value.get("currency"),
        "expected_close_date": date.fromisoformat(close) if close else None,
        "converted_lead_id": None,
        "merged_into_id": None,
    }


_BUILDERS = {"persons": _person, "organizations": _organization, "leads": _lead, "deals": _deal}


def expected_listing(truth: Row, name: str, known: Known | None = None) -> dict[int, Row]:
    """The rows of `crm.pipelines` or `crm.stages` by id."""
    pipelines = _Names(truth, known or Known()).pipelines
    rows = {}
    for record in truth[name]:
        row = record | {"is_deleted": False}
        row |= {time: _moment(record[time]) for time in ("add_time", "update_time")}
        if name == "stages":
            row["pipeline_name"] = pipelines.get(record["pipeline_id"])
        rows[record["id"]] = row
    return rows


def columns_of(field_type: str, column: str) -> list[str]:
    """The columns of a field, main one first."""
    return list(_custom({"key": "", "field_type": field_type}, column, None, _NOBODY, True))


def _date(text: str) -> date | None:
    """A date; None for what a text became when its field was made a field of dates."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _custom(defined: Row, column: str, value: Any, names: _Names, has_zone: bool) -> Row:
    """The column of a field and its companions."""
    part = value if isinstance(value, dict) else {}
    match defined["field_type"]:
        case "double" | "int":
            return {column: None if value is None else float(value)}
        case "monetary":
            return {
                column: _money(part["value"]) if part else None,
                f"{column}_currency": part.get("currency"),
            }
        case "date":
            return {column: value and _date(value)}
        case "daterange":
            return {
                column: value and date.fromisoformat(part["value"]),
                f"{column}_until": value and date.fromisoformat(part["until"]),
            }
        case "time" | "timerange" as kind:
            row = {
                column: value and time.fromisoformat(part["value"]),
                f"{column}_timezone": part.get("timezone_name") if has_zone else None,
            }
            if kind == "timerange":
                row[f"{column}_until"] = value and time.fromisoformat(part["until"])
            return row
        case "enum":
            label = None if value is None else names.labels(defined["key"], [value])[0]
            return {column: label, f"{column}_id": value}
        case "set":
            ids = value or None  # v1 has no empty set, so there is none
            return {column: ids and names.labels(defined["key"], ids), f"{column}_ids": ids}
        case "user":
            return {column: names.users.get(value), f"{column}_id": value}
        case "people":
            return {column: names.persons.get(value), f"{column}_id": value}
        case "org":
            return {column: names.organizations.get(value), f"{column}_id": value}
        case "address":
            return {column: part.get("value")} | {
                f"{column}_{p}": part.get(p) for p in ADDRESS_PARTS
            }
        case _:
            return {column: value}


_EMPTY = ("users", "persons", "organizations", "pipelines", "stages", "lead_labels")
_NOBODY = _Names({key: [] for key in _EMPTY} | {"labels": {}, "fields": {}}, Known())
