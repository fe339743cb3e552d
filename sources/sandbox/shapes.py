"""Records in the forms of the API: v1 lists (leads), v1 collections, v2 lists.

Keys and types follow recorded payloads and, where there are none, the OpenAPI examples.
"""

from collections.abc import Sequence
from typing import Any

from sources.sandbox.definitions import Field
from sources.sandbox.records import (
    Contact,
    Lead,
    Organization,
    Person,
    iso,
    iso_ms,
    spaced,
)
from sources.sandbox.values import (
    ADDRESS_PARTS,
    VALUE_TYPES,
    address_columns,
    address_object,
    json_number,
)

CC_EMAIL = "pond-sandbox@pipedrivemail.com"
_ADDRESS_COLUMNS = ("address", *(f"address_{part}" for part in ADDRESS_PARTS))


class CustomForms:
    """The custom fields of one entity, ready to write values in every form."""

    def __init__(self, fields: Sequence[Field], *, v2_unset: str = "null") -> None:
        self._flat = {
            field.key: (
                (field.key, *(f"{field.key}_{x}" for x in VALUE_TYPES[field.field_type].suffixes)),
                VALUE_TYPES[field.field_type].flat,
            )
            for field in fields
        }
        self._nested = {field.key: VALUE_TYPES[field.field_type].nested for field in fields}
        self._no_columns = dict.fromkeys(key for keys, _ in self._flat.values() for key in keys)
        self._no_keys = dict.fromkeys(self._nested) if v2_unset == "null" else {}

    def flat(self, custom: dict[str, Any]) -> dict[str, object]:
        """Write v1 keys with their suffixes, null where unset."""
        row: dict[str, object] = dict(self._no_columns)
        for key, value in custom.items():
            keys, flat = self._flat[key]
            row.update(zip(keys, flat(value), strict=True))
        return row

    def flat_set_only(self, custom: dict[str, Any]) -> dict[str, object]:
        """Write only the v1 keys that have a value, as leads do."""
        return {key: value for key, value in self.flat(custom).items() if value is not None}

    def nested(self, custom: dict[str, Any]) -> dict[str, object] | None:
        """Write v2 `custom_fields`; null for a record that has no value at all."""
        if not custom:
            return None
        row: dict[str, object] = dict(self._no_keys)
        for key, value in custom.items():
            row[key] = self._nested[key](value)
        return row


def _contacts(contacts: Sequence[Contact]) -> list[dict[str, object]]:
    return [
        {"value": contact.value, "primary": contact.primary}
        if contact.label is None
        else {"label": contact.label, "value": contact.value, "primary": contact.primary}
        for contact in contacts
    ]


def _v1_contacts(contacts: Sequence[Contact]) -> list[dict[str, object]]:
    return _contacts(contacts) or [{"value": "", "primary": True}]


def lead(record: Lead, forms: CustomForms) -> dict[str, object]:
    """Write a lead of `GET /v1/leads` and `/v1/leads/archived`."""
    value = record.value
    return {
        "id": record.id,
        "title": record.title,
        "owner_id": record.owner_id,
        "creator_id": record.creator_id,
        "label_ids": record.label_ids,
        "value": value and {"amount": json_number(value.value), "currency": value.currency},
        "expected_close_date": record.expected_close_date,
        "person_id": record.person_id,
        "organization_id": record.organization_id,
        "is_archived": record.is_archived,
        "archive_time": iso_ms(record.archive_time),
        "source_name": record.source_name,
        "source_deal_id": record.source_deal_id,
        "origin": record.origin,
        "origin_id": record.origin_id,
        "channel": record.channel,
        "channel_id": record.channel_id,
        "was_seen": record.was_seen,
        "next_activity_id": record.next_activity_id,
        "add_time": iso_ms(record.add_time),
        "update_time": iso_ms(record.update_time),
        "visible_to": str(record.visible_to),
        "cc_email": CC_EMAIL.replace("@", f"+15043420+lead{record.id[:8]}@"),
        **forms.flat_set_only(record.custom),
    }


def collection_person(record: Person, forms: CustomForms) -> dict[str, object]:
    """Write a person of `GET /v1/persons/collection`; it has no first and last name."""
    return {
        "id": record.id,
        "active_flag": not record.is_deleted,
        "owner_id": record.owner_id,
        "org_id": record.organization_id,
        "name": record.name,
        "email": _v1_contacts(record.emails),
        "phone": _v1_contacts(record.phones),
        "update_time": spaced(record.update_time),
        "delete_time": spaced(record.delete_time),
        "add_time": spaced(record.add_time),
        "visible_to": str(record.visible_to),
        "picture_id": record.picture_id,
        "label": record.label_ids[0] if record.label_ids else None,
        "label_ids": record.label_ids,
        "cc_email": CC_EMAIL,
        **forms.flat(record.custom),
    }


def collection_organization(record: Organization, forms: CustomForms) -> dict[str, object]:
    """Write an organization of `GET /v1/organizations/collection`; no company facts."""
    return {
        "id": record.id,
        "active_flag": not record.is_deleted,
        "owner_id": record.owner_id,
        "name": record.name,
        "update_time": spaced(record.update_time),
        "delete_time": spaced(record.delete_time),
        "add_time": spaced(record.add_time),
        "visible_to": str(record.visible_to),
        "label": record.label_ids[0] if record.label_ids else None,
        "label_ids": record.label_ids,
        "cc_email": CC_EMAIL,
        **dict(zip(_ADDRESS_COLUMNS, address_columns(record.address), strict=True)),
        **forms.flat(record.custom),
    }


def v2_person(record: Person, forms: CustomForms) -> dict[str, object]:
    """Write a person of `GET /api/v2/persons`."""
    return {
        "id": record.id,
        "name": record.name,
        "first_name": record.first_name,
        "last_name": record.last_name,
        "owner_id": record.owner_id,
        "org_id": record.organization_id,
        "add_time": iso(record.add_time),
        "update_time": iso(record.update_time),
        "emails": _contacts(record.emails),
        "phones": _contacts(record.phones),
        "is_deleted": record.is_deleted,
        "visible_to": record.visible_to,
        "label_ids": record.label_ids,
        "picture_id": record.picture_id,
        "custom_fields": forms.nested(record.custom),
    }


def v2_organization(record: Organization, forms: CustomForms) -> dict[str, object]:
    """Write an organization of `GET /api/v2/organizations`."""
    return {
        "id": record.id,
        "name": record.name,
        "owner_id": record.owner_id,
        "add_time": iso(record.add_time),
        "update_time": iso(record.update_time),
        "is_deleted": record.is_deleted,
        "visible_to": record.visible_to,
        "address": address_object(record.address) if record.address else None,
        "label_ids": record.label_ids,
        "website": record.website,
        "linkedin": record.linkedin,
        "industry": record.industry,
        "annual_revenue": record.annual_revenue,
        "employee_count": record.employee_count,
        "custom_fields": forms.nested(record.custom),
    }
