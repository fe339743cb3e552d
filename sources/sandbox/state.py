"""What an account holds and its clock; how it changes is in `field_life` and `account`."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sources.sandbox.definitions import Field
from sources.sandbox.options import SandboxOptions
from sources.sandbox.records import (
    Currency,
    Deal,
    Entity,
    Entry,
    Lead,
    LeadLabel,
    Organization,
    Person,
    Pipeline,
    Stage,
    User,
    parse_time,
)

LEAD_SOURCES = (
    "Manually created",
    "Deal",
    "Web forms",
    "Prospector",
    "Leadbooster",
    "Live chat",
    "Import",
    "Website visitors",
    "Workflow automation",
    "API",
)
"""Pipedrive's fixed list."""


class AccountError(Exception):
    """A change that this account cannot make: an unknown record, field, option or attribute."""


@dataclass(frozen=True, slots=True)
class Company:
    """The company that the token belongs to."""

    id: int = 15043420
    name: str = "Pond & Söhne"
    domain: str = "pond-sandbox"


@dataclass(slots=True)
class State:
    """The records, definitions and clock of an account.

    `lock` guards everything; the server holds it while it answers. `revision` counts changes of
    records and of who may see them, `fields_revision` those of an entity's definitions.
    """

    options: SandboxOptions
    company: Company = field(default_factory=Company)
    users: list[User] = field(default_factory=list)
    lead_labels: list[LeadLabel] = field(default_factory=list)
    currencies: list[Currency] = field(default_factory=list)
    fields: dict[Entity, list[Field]] = field(default_factory=dict)
    persons: dict[int, Person] = field(default_factory=dict)
    organizations: dict[int, Organization] = field(default_factory=dict)
    leads: dict[str, Lead] = field(default_factory=dict)
    deals: dict[int, Deal] = field(default_factory=dict)
    pipelines: dict[int, Pipeline] = field(default_factory=dict)
    stages: dict[int, Stage] = field(default_factory=dict)
    removed_leads: dict[str, Lead] = field(default_factory=dict)
    """Leads that were deleted or converted: no API tells of them any more."""
    hidden: dict[Entity, set[Any]] = field(default_factory=dict)
    """Ids that the token's user may not see."""
    is_admin: bool = True
    now: datetime = field(init=False)
    lock: threading.RLock = field(default_factory=threading.RLock)
    revision: int = 0
    fields_revision: dict[Entity, int] = field(default_factory=dict)
    last_field_id: int = 12_000
    last_option_id: int = 0
    last_lead_number: int = 0
    _moment: datetime | None = None
    _changes: int = 0

    def __post_init__(self) -> None:
        self.now = parse_time(self.options.start)
        self.is_admin = self.options.admin

    @property
    def me(self) -> User:
        """The user that the token belongs to."""
        return self.users[0]

    def records(self, entity: Entity) -> dict[Any, Any]:
        """Give all records of an entity by id, deleted and hidden ones too."""
        tables: dict[Entity, dict[Any, Any]] = {
            "person": self.persons,
            "organization": self.organizations,
            "lead": self.leads,
            "deal": self.deals,
            "pipeline": self.pipelines,
            "stage": self.stages,
        }
        try:
            return tables[entity]
        except KeyError:
            raise AccountError(f"there is no entity {entity!r}, only {', '.join(tables)}") from None

    def visible(self, entity: Entity) -> list[Any]:
        """Give the records that lists show: neither deleted nor hidden, in creation order."""
        return [record for record in self.in_sight(entity) if not record.is_deleted]

    def in_sight(self, entity: Entity) -> list[Any]:
        """Give the records that are not hidden, deleted ones too, in creation order."""
        hidden = self.hidden.get(entity, ())
        return [x for x in self.records(entity).values() if x.id not in hidden]

    def gone(self, entity: Entity) -> list[Any]:
        """Give the records that were deleted, merged away or converted, and are not hidden."""
        hidden = self.hidden.get(entity, ())
        removed = self.removed_leads.values() if entity == "lead" else ()
        return [
            record
            for record in (*self.records(entity).values(), *removed)
            if record.is_deleted and record.id not in hidden
        ]

    def first_stage(self, pipeline_id: int | None = None) -> Stage:
        """Give the first stage of a pipeline (None: of the first one); raises AccountError."""
        pipelines = [x for x in self.visible("pipeline") if pipeline_id in (None, x.id)]
        first = min(pipelines, key=lambda x: (x.order_nr, x.id), default=None)
        stages = [
            x
            for x in self.stages.values()
            if not x.is_deleted and first and x.pipeline_id == first.id
        ]
        if not stages:
            wanted = "" if pipeline_id is None else f" {pipeline_id}"
            raise AccountError(f"there is no pipeline{wanted} that has a stage")
        return min(stages, key=lambda x: (x.order_nr, x.id))

    def custom_fields(self, entity: Entity) -> list[Field]:
        """Give the custom fields of an entity; leads have those of deals."""
        owner: Entity = "deal" if entity == "lead" else entity
        return [field for field in self.fields.get(owner, ()) if field.is_custom]

    def lead_fields(self) -> list[Field]:
        """Give the built-in fields of leads, then the custom fields of deals."""
        return [*self.fields["lead"], *self.custom_fields("deal")]

    def new_lead_id(self) -> str:
        """Give a uuid that no lead had before, the same one for the same seed and history."""
        self.last_lead_number += 1
        name = f"{self.options.seed}/lead/{self.last_lead_number}"
        return str(uuid.uuid5(uuid.NAMESPACE_OID, name))

    def advance(self, seconds: float) -> None:
        """Let time pass without any change."""
        with self.lock:
            self.now += timedelta(seconds=int(seconds))

    @contextmanager
    def same_moment(self) -> Iterator[datetime]:
        """Make every change inside happen in one second, the one that is given.

        A first change advances the clock by one to seven seconds.
        """
        with self.lock:
            if self._moment is not None:
                yield self._moment
                return
            self._changes += 1
            self.revision += 1
            self.now += timedelta(seconds=1 + self._changes * 5 % 7)
            self._moment = self.now
            try:
                yield self.now
            finally:
                self._moment = None

    def moment_of(self, record: Entry, moment: datetime) -> datetime:
        """Give the time that a change leaves on the record: leads have milliseconds."""
        if isinstance(record, Lead):
            return moment - timedelta(milliseconds=1 + self._changes * 137 % 999)
        return moment

    def touch(self, record: Entry, moment: datetime, *, moves_update_time: bool = True) -> None:
        """Note that a record changed. That of a deleted one stays: it is when it was deleted."""
        record.revision += 1
        if moves_update_time and (not record.is_deleted or record.delete_time == moment):
            record.update_time = self.moment_of(record, moment)
