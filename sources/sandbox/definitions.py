"""Field definitions: what a field is, the subfields of its type, and the fields every account has.

Built-in fields: names and types of the recorded v1 definitions and of the OpenAPI examples.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sources.sandbox.values import ADDRESS_PARTS


@dataclass(slots=True)
class Option:
    """A choice of an enum or set field; built-in fields may have ids that are strings."""

    id: int | str
    label: str
    color: str | None = None


@dataclass(slots=True, kw_only=True)
class Field:
    """A field of an entity; a custom one has a key of 40 hex digits."""

    id: int
    key: str
    name: str
    field_type: str
    add_time: datetime
    update_time: datetime | None = None
    is_custom: bool = True
    options: list[Option] | None = None
    options_deleted: list[Option] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Subfield:
    """A part of a value that has its own key in v1 (`<key>_<suffix>`)."""

    suffix: str
    title: str
    field_type: str

    def name(self, parent: str) -> str:
        """Give the name as the account shows it."""
        return f"{self.title} of {parent}"


_ADDRESS_TITLES = {
    "subpremise": "Apartment/suite no",
    "street_number": "House number",
    "route": "Street/road name",
    "sublocality": "District/sublocality",
    "locality": "City/town/village/locality",
    "admin_area_level_1": "State/county",
    "admin_area_level_2": "Region",
    "country": "Country",
    "postal_code": "ZIP/Postal code",
    "formatted_address": "Full/combined address",
}
_TIMEZONE = Subfield("timezone_id", "Timezone", "int")

SUBFIELDS: dict[str, tuple[Subfield, ...]] = {
    "monetary": (Subfield("currency", "Currency", "varchar"),),
    "daterange": (Subfield("until", "End date", "date"),),
    "time": (_TIMEZONE,),
    "timerange": (Subfield("until", "End time", "time"), _TIMEZONE),
    "address": tuple(Subfield(part, _ADDRESS_TITLES[part], "varchar") for part in ADDRESS_PARTS),
}
"""Subfields by field type, in the order of the v1 suffixes."""

MAIN_PART = {
    "monetary": Subfield("value", "Amount", "double"),
    "daterange": Subfield("value", "Start date", "date"),
    "time": Subfield("value", "Time", "time"),
    "timerange": Subfield("value", "Start time", "time"),
    "address": Subfield("value", "Address", "varchar"),
}
"""The first subfield of v2, which v1 has under the bare key."""

_COMMON = (
    ("add_time", "Created", "date"),
    ("update_time", "Update time", "date"),
    ("owner_id", "Owner", "user"),
    ("visible_to", "Visible to", "visible_to"),
    ("next_activity_date", "Next activity date", "date"),
    ("last_activity_date", "Last activity date", "date"),
)

BUILT_IN: dict[str, tuple[tuple[str, str, str], ...]] = {
    "person": (
        ("name", "Name", "varchar"),
        ("label_ids", "Labels", "set"),
        ("phone", "Phone", "phone"),
        ("email", "Email", "varchar"),
        ("org_id", "Organization", "org"),
        ("picture_id", "Profile picture", "picture"),
        *_COMMON,
    ),
    "organization": (
        ("name", "Name", "varchar"),
        ("label_ids", "Labels", "set"),
        ("address", "Address", "address"),
        ("people_count", "People", "int"),
        ("website", "Website", "varchar"),
        ("linkedin", "LinkedIn profile", "varchar"),
        ("industry", "Industry", "enum"),
        ("annual_revenue", "Annual revenue", "double"),
        ("employee_count", "Number of employees", "int"),
        *_COMMON,
    ),
    "deal": (
        ("title", "Title", "varchar"),
        ("value", "Value", "monetary"),
        ("status", "Status", "status"),
        ("stage_id", "Stage", "stage"),
        ("pipeline", "Pipeline", "pipeline"),
        ("person_id", "Contact person", "people"),
        ("org_id", "Organization", "org"),
        ("label_ids", "Labels", "set"),
        ("channel", "Source channel", "enum"),
        ("expected_close_date", "Expected close date", "date"),
        ("lost_reason", "Lost reason", "varchar_options"),
        *_COMMON,
    ),
    "lead": (
        ("title", "Title", "varchar"),
        ("value", "Value", "monetary"),
        ("creator_id", "Creator", "user"),
        ("person_id", "Contact person", "people"),
        ("organization_id", "Organization", "org"),
        ("label_ids", "Labels", "set"),
        ("source_name", "Source", "varchar"),
        ("channel", "Source channel", "enum"),
        ("was_seen", "Seen", "boolean"),
        ("expected_close_date", "Expected close date", "date"),
        ("archive_time", "Archive time", "date"),
        *_COMMON,
    ),
}
"""Key, name and type of the fields that are there from the start."""

BUILT_IN_OPTIONS: dict[str, tuple[tuple[str, str | None], ...]] = {
    "label_ids": (
        ("Customer", "green"),
        ("Hot lead", "red"),
        ("Warm lead", "yellow"),
        ("Cold lead", "blue"),
        ('"VIP", gold & café', "purple"),
    ),
    "industry": (("IT services", None), ("Food & drink", None), ("Bau / Straßenbau", None)),
    "channel": (("Web forms", None), ("Prospector", None), ("API", None)),
}
"""Label and colour of the options of built-in fields; those of leads are the lead labels."""


def custom_only(fields: Iterable[Field]) -> list[Field]:
    """Keep the custom fields, in definition order."""
    return [field for field in fields if field.is_custom]
