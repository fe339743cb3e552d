"""The things an account holds, as they are, in no API's form. Times are UTC."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

from sources.sandbox.values import Address, Money

Entity = Literal["person", "organization", "lead", "deal", "pipeline", "stage"]
DEAL_STATUSES = ("open", "won", "lost")
NO_VALUE = Money(Decimal(0), "EUR")
"""What a deal without a value has: it is always worth something in some currency."""


@dataclass(frozen=True, slots=True)
class User:
    """A user of the company; deactivated ones stay listed."""

    id: int
    name: str
    email: str
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class LeadLabel:
    """A label of leads; the `id` is a uuid."""

    id: str
    name: str
    color: str
    add_time: datetime


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency that amounts can have."""

    id: int
    code: str
    name: str
    decimal_points: int
    symbol: str


@dataclass(frozen=True, slots=True)
class Contact:
    """An e-mail address or a phone number; the label is free text and may be missing."""

    value: str
    label: str | None
    primary: bool


@dataclass(slots=True, kw_only=True)
class Entry:
    """What everything that can be created, changed and deleted shares.

    `revision` counts changes, for whoever keeps a rendered form.
    """

    id: Any
    add_time: datetime
    update_time: datetime | None
    is_deleted: bool = False
    delete_time: datetime | None = None
    revision: int = 0


@dataclass(slots=True, kw_only=True)
class Record(Entry):
    """What persons, organizations, leads and deals share.

    `custom` maps field keys to values of `sources.sandbox.values`; only set fields are in it.
    """

    owner_id: int
    visible_to: int = 3
    custom: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Person(Record):
    """A person; `merged_into` is the survivor of a merge."""

    id: int
    name: str
    first_name: str | None
    last_name: str | None
    organization_id: int | None = None
    emails: list[Contact] = field(default_factory=list)
    phones: list[Contact] = field(default_factory=list)
    label_ids: list[int] = field(default_factory=list)
    picture_id: int | None = None
    merged_into: int | None = None


@dataclass(slots=True, kw_only=True)
class Organization(Record):
    """An organization; the company facts are sent by v2 only."""

    id: int
    name: str
    address: Address | None = None
    label_ids: list[int] = field(default_factory=list)
    website: str | None = None
    linkedin: str | None = None
    industry: int | None = None
    annual_revenue: int | None = None
    employee_count: int | None = None
    merged_into: int | None = None


@dataclass(slots=True, kw_only=True)
class Lead(Record):
    """A lead, open or archived; its times have milliseconds.

    `converted_deal_id` is the deal that a lead became which is there no more.
    """

    id: str
    title: str
    creator_id: int
    person_id: int | None = None
    organization_id: int | None = None
    label_ids: list[str] = field(default_factory=list)
    value: Money | None = None
    expected_close_date: str | None = None
    next_activity_id: int | None = None
    is_archived: bool = False
    archive_time: datetime | None = None
    source_name: str = "Manually created"
    source_deal_id: int | None = None
    origin: str = "ManuallyCreated"
    origin_id: str | None = None
    channel: int | None = None
    channel_id: str | None = None
    was_seen: bool = False
    converted_deal_id: int | None = None


@dataclass(slots=True, kw_only=True)
class Deal(Record):
    """A deal, open, won or lost, archived or not.

    `status` stays what it was when the deal is deleted. `merged_into` is the survivor of a merge,
    `converted_lead_id` the lead that a deleted deal became.
    """

    id: int
    title: str
    creator_user_id: int
    pipeline_id: int
    stage_id: int
    person_id: int | None = None
    organization_id: int | None = None
    value: Money = NO_VALUE
    status: str = "open"
    probability: int | None = None
    lost_reason: str | None = None
    expected_close_date: str | None = None
    stage_change_time: datetime | None = None
    close_time: datetime | None = None
    won_time: datetime | None = None
    lost_time: datetime | None = None
    label_ids: list[int] = field(default_factory=list)
    origin: str = "ManuallyCreated"
    origin_id: str | None = None
    channel: int | None = None
    channel_id: str | None = None
    is_archived: bool = False
    archive_time: datetime | None = None
    source_lead_id: str | None = None
    merged_into: int | None = None
    converted_lead_id: str | None = None


@dataclass(slots=True, kw_only=True)
class Pipeline(Entry):
    """A pipeline; that of the lowest `order_nr` is where new deals begin."""

    id: int
    name: str
    order_nr: int
    is_deal_probability_enabled: bool = False


@dataclass(slots=True, kw_only=True)
class Stage(Entry):
    """A stage of a pipeline; names repeat in other pipelines."""

    id: int
    name: str
    pipeline_id: int
    order_nr: int
    deal_probability: int = 100
    is_deal_rot_enabled: bool = False
    days_to_rotten: int | None = None


def iso(moment: datetime | None) -> str | None:
    """Write a time as RFC 3339 in whole seconds, `2026-06-01T08:00:00Z` (v2)."""
    return None if moment is None else moment.isoformat(timespec="seconds")[:19] + "Z"


def iso_ms(moment: datetime | None) -> str | None:
    """Write a time with milliseconds, `2026-06-01T08:00:00.123Z` (leads)."""
    return None if moment is None else moment.isoformat(timespec="milliseconds")[:23] + "Z"


def spaced(moment: datetime | None) -> str | None:
    """Write a time as v1 does, `2026-06-01 08:00:00`."""
    return None if moment is None else moment.isoformat(" ", "seconds")[:19]


def parse_time(text: str) -> datetime:
    """Read a UTC time in any of the forms above; raises ValueError."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
