"""Custom field values: one logical value and its forms in the API.

A value is kept as plain Python (str, int, float, tuple of ints) or as one of the small classes
below. `VALUE_TYPES` says for every field type how the value looks flat (v1: the key and its
suffixes), nested (v2 `custom_fields`) and as truth (JSON, independent of any API form).

Forms: https://pipedrive.readme.io/docs/pipedrive-api-v2-migration-guide and
https://pipedrive.readme.io/docs/core-api-concepts-custom-fields.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from operator import attrgetter
from typing import Any

ADDRESS_PARTS = (
    "subpremise",
    "street_number",
    "route",
    "sublocality",
    "locality",
    "admin_area_level_1",
    "admin_area_level_2",
    "country",
    "postal_code",
    "formatted_address",
)
"""Parts of an address, in the order of the collection endpoints."""

TIMEZONES = {
    4: "Africa/Nairobi",
    31: "America/New_York",
    57: "Asia/Kolkata",
    110: "Europe/Berlin",
    166: "Pacific/Chatham",
    182: "UTC",
}
"""`timezone_id` to IANA name. The API has no list of them; v2 values carry both."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in the currency's main unit, exact to its decimals."""

    value: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class DateRange:
    """Two dates, `YYYY-MM-DD`, both included."""

    value: str
    until: str


@dataclass(frozen=True, slots=True)
class Time:
    """A time of day, `HH:MM:SS`, in a zone of `TIMEZONES`; no date and no offset."""

    value: str
    timezone_id: int


@dataclass(frozen=True, slots=True)
class TimeRange:
    """Two times of day in one zone."""

    value: str
    until: str
    timezone_id: int


@dataclass(frozen=True, slots=True)
class Address:
    """The text that was typed and the parts that geocoding found in it."""

    value: str
    subpremise: str | None = None
    street_number: str | None = None
    route: str | None = None
    sublocality: str | None = None
    locality: str | None = None
    admin_area_level_1: str | None = None
    admin_area_level_2: str | None = None
    country: str | None = None
    postal_code: str | None = None
    formatted_address: str | None = None


_address_tuple: Callable[[Address], tuple[str | None, ...]] = attrgetter("value", *ADDRESS_PARTS)


def json_number(amount: Decimal) -> int | float:
    """Give the amount as the API writes it: `15000`, `0.1`; cents survive up to 10**13."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def address_object(address: Address) -> dict[str, str | None]:
    """Give an address as v2 nests it: `value` and every part, null where unknown."""
    return dict(zip(("value", *ADDRESS_PARTS), _address_tuple(address), strict=True))


def address_columns(address: Address | None) -> tuple[str | None, ...]:
    """Give an address as v1 flattens it: the text, then every part in order."""
    return _address_tuple(address) if address else (None,) * (1 + len(ADDRESS_PARTS))


def address_of(logical: Mapping[str, Any]) -> Address:
    """Make an address of its object form; raises TypeError on an unknown part."""
    return Address(**logical)


@dataclass(frozen=True, slots=True)
class ValueType:
    """How the values of one field type look."""

    suffixes: tuple[str, ...]
    """v1 companions: `<key>_<suffix>`, in order."""
    flat: Callable[[Any], tuple[object, ...]]
    """v1 values of the key and of each suffix."""
    nested: Callable[[Any], object]
    """v2 value inside `custom_fields`."""
    logical: Callable[[Any], object]
    """JSON of the truth."""
    parse: Callable[[Any], Any]
    """The value of the JSON of the truth; raises ValueError, TypeError or KeyError."""


def _same(value: Any) -> Any:
    return value


def _alone(value: Any) -> tuple[object, ...]:
    return (value,)


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is not a number")
    return value


def _zone(timezone_id: int) -> dict[str, object]:
    return {"timezone_id": timezone_id, "timezone_name": TIMEZONES[timezone_id]}


def _money_logical(money: Money) -> dict[str, object]:
    return {"value": str(money.value), "currency": money.currency}


def _daterange_object(days: DateRange) -> dict[str, object]:
    return {"value": days.value, "until": days.until}


def _time_object(time: Time) -> dict[str, object]:
    return {"value": time.value, **_zone(time.timezone_id)}


def _timerange_object(times: TimeRange) -> dict[str, object]:
    return {"value": times.value, "until": times.until, **_zone(times.timezone_id)}


_TEXT = ValueType((), _alone, _same, _same, str)
_NUMBER = ValueType((), _alone, _same, _same, _number)
_REFERENCE = ValueType((), _alone, _same, _same, int)

VALUE_TYPES: dict[str, ValueType] = {
    "varchar": _TEXT,
    "varchar_auto": _TEXT,
    "text": _TEXT,
    "phone": _TEXT,
    "double": _NUMBER,
    "int": _REFERENCE,
    "monetary": ValueType(
        ("currency",),
        lambda money: (json_number(money.value), money.currency),
        lambda money: {"value": json_number(money.value), "currency": money.currency},
        _money_logical,
        lambda json: Money(Decimal(str(json["value"])), str(json["currency"])),
    ),
    "date": _TEXT,
    "daterange": ValueType(
        ("until",),
        lambda days: (days.value, days.until),
        _daterange_object,
        _daterange_object,
        lambda json: DateRange(json["value"], json["until"]),
    ),
    "time": ValueType(
        ("timezone_id",),
        lambda time: (time.value, time.timezone_id),
        _time_object,
        _time_object,
        lambda json: Time(json["value"], json["timezone_id"]),
    ),
    "timerange": ValueType(
        ("until", "timezone_id"),
        lambda times: (times.value, times.until, times.timezone_id),
        _timerange_object,
        _timerange_object,
        lambda json: TimeRange(json["value"], json["until"], json["timezone_id"]),
    ),
    "enum": ValueType((), lambda option_id: (str(option_id),), _same, _same, int),
    "set": ValueType(
        (),
        lambda option_ids: (",".join(map(str, option_ids)),),
        list,
        list,
        lambda json: tuple(int(option_id) for option_id in json),
    ),
    "user": _REFERENCE,
    "people": _REFERENCE,
    "org": _REFERENCE,
    "address": ValueType(
        ADDRESS_PARTS, address_columns, address_object, address_object, address_of
    ),
}
"""Every type a custom field can have, and `int`."""


def converted(value: Any, old_type: str, new_type: str) -> Any:
    """Give the value as another type would hold it, or None where it does not fit."""
    if isinstance(value, Money):
        value = json_number(value.value)
    if VALUE_TYPES[new_type] is _TEXT and new_type != "date":
        return str(value) if isinstance(value, str | int | float) else getattr(value, "value", None)
    if old_type == new_type:
        return value
    try:
        return VALUE_TYPES[new_type].parse(float(value) if new_type == "double" else value)
    except (TypeError, ValueError, KeyError):
        return None
