"""Definitions and small tables in the forms of the API.

Keys follow recorded answers and the OpenAPI files; where those disagree, the recordings.
"""

from sources.sandbox.account import Account
from sources.sandbox.definitions import MAIN_PART, SUBFIELDS, Field, Option
from sources.sandbox.records import User, iso_ms, spaced
from sources.sandbox.state import LEAD_SOURCES


def _option(option: Option) -> dict[str, object]:
    row: dict[str, object] = {"id": option.id, "label": option.label}
    return {**row, "color": option.color} if option.color else row


def v1_field(field: Field, order_nr: int) -> list[dict[str, object]]:
    """Write a definition of `GET /v1/*Fields`: its row, then one row for each subfield.

    A field without options has the key with null if it is built in and no key if it is custom:
    documentation says the one, recordings show the other.
    """
    flags = {
        "index_visible_flag": True,
        "details_visible_flag": True,
        "add_visible_flag": True,
        "important_flag": False,
        "bulk_edit_allowed": True,
        "searchable_flag": field.field_type in ("varchar", "text", "phone"),
        "filtering_allowed": True,
        "sortable_flag": True,
        "mandatory_flag": field.key in ("name", "title"),
    }
    row: dict[str, object] = {
        "id": field.id,
        "key": field.key,
        "name": field.name,
        "order_nr": order_nr,
        "field_type": field.field_type,
        "json_column_flag": field.is_custom,
        "add_time": spaced(field.add_time),
        "update_time": spaced(field.update_time),
        "last_updated_by_user_id": None,
        "created_by_user_id": None,
        "active_flag": True,
        "edit_flag": field.is_custom,
        **flags,
    }
    if field.options is not None:
        row["options"] = [_option(option) for option in field.options]
    elif not field.is_custom:
        row["options"] = None
    if field.options_deleted:
        row["options_deleted"] = [_option(option) for option in field.options_deleted]
    return [row] + [
        {
            "id": None,
            "key": f"{field.key}_{subfield.suffix}",
            "name": subfield.name(field.name),
            "field_type": subfield.field_type,
            "active_flag": True,
            "edit_flag": field.is_custom,
            "mandatory_flag": False,
            "is_subfield": True,
            "parent_id": field.id,
            "id_suffix": subfield.suffix,
        }
        for subfield in SUBFIELDS.get(field.field_type, ())
    ]


def v2_field(field: Field) -> dict[str, object]:
    """Write a definition of `GET /api/v2/*Fields`; subfields are the keys of the nested value."""
    subfields = (
        [MAIN_PART[field.field_type], *SUBFIELDS[field.field_type]]
        if (field.field_type in SUBFIELDS)
        else None
    )
    return {
        "field_name": field.name,
        "field_code": field.key,
        "field_type": field.field_type,
        "options": None if field.options is None else [_option(x) for x in field.options],
        "subfields": subfields
        and [
            {
                "field_code": subfield.suffix,
                "field_name": subfield.name(field.name),
                "field_type": subfield.field_type,
            }
            for subfield in subfields
        ],
        "is_custom_field": field.is_custom,
        "is_optional_response_field": False,
    }


def user(account: Account, record: User) -> dict[str, object]:
    """Write a user of `GET /v1/users`; deactivated ones have `active_flag` false."""
    is_me = record is account.me
    is_admin = is_me and account.is_admin
    return {
        "id": record.id,
        "name": record.name,
        "email": record.email,
        "lang": 1,
        "locale": "en_US",
        "timezone_name": "Europe/Tallinn",
        "timezone_offset": "+03:00",
        "default_currency": "EUR",
        "icon_url": None,
        "active_flag": record.is_active,
        "is_deleted": False,
        "is_admin": int(is_admin),
        "role_id": 1,
        "created": "2024-01-15 09:12:14",
        "has_created_company": is_me,
        "is_you": is_me,
        "access": [
            {
                "app": app,
                "admin": is_admin,
                "permission_set_id": f"29c72ef0-503e-11f1-b3a6-{record.id:012x}",
            }
            for app in ("sales", "global", "account_settings")
        ],
        "phone": None,
        "modified": "2026-05-15 09:46:05",
        "last_login": "2026-05-15 09:46:05",
    }


def me(account: Account) -> dict[str, object]:
    """Write the token's user as `GET /v1/users/me` does, with the company."""
    return {
        **user(account, account.me),
        "company_id": account.company.id,
        "company_name": account.company.name,
        "company_domain": account.company.domain,
        "company_country": "EE",
        "company_industry": "IT Services",
        "language": {"language_code": "en", "country_code": "US"},
    }


def lead_labels(account: Account) -> list[dict[str, object]]:
    """Write `GET /v1/leadLabels`."""
    return [
        {
            "id": label.id,
            "name": label.name,
            "color": label.color,
            "add_time": iso_ms(label.add_time),
            "update_time": iso_ms(label.add_time),
        }
        for label in account.lead_labels
    ]


def lead_sources() -> list[dict[str, object]]:
    """Write `GET /v1/leadSources`."""
    return [{"name": name} for name in LEAD_SOURCES]


def currencies(account: Account) -> list[dict[str, object]]:
    """Write `GET /v1/currencies`."""
    return [
        {
            "id": currency.id,
            "code": currency.code,
            "name": currency.name,
            "decimal_points": currency.decimal_points,
            "symbol": currency.symbol,
            "active_flag": True,
            "is_custom_flag": False,
        }
        for currency in account.currencies
    ]
