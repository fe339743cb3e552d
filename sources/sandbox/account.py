"""The account: the truth that the API shows, and its life.

`Account` holds users, records and definitions as they are. Every method below is one change made
by somebody in Pipedrive; each moves the account's clock by a few seconds and leaves its time on
the records it touches, as Pipedrive documents it or, where nothing is documented, as an option
says.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from sources.sandbox import story
from sources.sandbox.field_life import FieldLife
from sources.sandbox.records import (
    Contact,
    Deal,
    Entity,
    Lead,
    Organization,
    Person,
    Record,
    parse_time,
)
from sources.sandbox.state import AccountError
from sources.sandbox.values import VALUE_TYPES, Money, address_of

_CLASSES: dict[Entity, type[Record]] = {
    "person": Person,
    "organization": Organization,
    "lead": Lead,
    "deal": Deal,
}
_REQUIRED: dict[Entity, dict[str, Any]] = {
    "person": {"name": "New person", "first_name": None, "last_name": None},
    "organization": {"name": "New organization"},
    "lead": {"title": "New lead"},
    "deal": {"title": "New deal"},
}


def _contacts(json: Iterable[Mapping[str, Any]]) -> list[Contact]:
    return [Contact(x["value"], x.get("label"), bool(x.get("primary"))) for x in json]


_READ: dict[str, Callable[[Any], Any]] = {
    "emails": _contacts,
    "phones": _contacts,
    "address": address_of,
    "value": lambda json: Money(Decimal(str(json["amount"])), json["currency"]),
    "add_time": parse_time,
    "update_time": parse_time,
    "archive_time": parse_time,
    "delete_time": parse_time,
}
"""How attributes that are not plain JSON are read from the form that the truth has."""


class Account(FieldLife):
    """A Pipedrive account that lives. Safe to use from any thread beside a running server."""

    def record(self, entity: Entity, record_id: Any) -> Any:
        """Give a record that is not deleted; raises AccountError."""
        found = self.records(entity).get(record_id)
        if found is None or found.is_deleted:
            raise AccountError(f"there is no {entity} {record_id!r}")
        return found

    def create(self, entity: Entity, **attributes: Any) -> Any:
        """Create a record and give its id. Attributes are those of the truth, see `edit`."""
        with self.same_moment() as moment:
            table = self.records(entity)
            required = dict(_REQUIRED[entity])
            if entity == "lead":
                record_id: Any = self.new_lead_id()
                required["creator_id"] = self.me.id
            else:
                record_id = max(table, default=0) + 1
            created = _CLASSES[entity](
                id=record_id,
                owner_id=self.me.id,
                add_time=moment,
                update_time=None,
                **required,
            )
            created.add_time = self.moment_of(created, moment)
            self._apply(entity, created, attributes)
            table[record_id] = created
            if "update_time" not in attributes:
                self.touch(created, moment)
            return record_id

    def edit(self, entity: Entity, *ids: Any, **changes: Any) -> None:
        """Change attributes of one record, or of several in the same second.

        Names and forms are those of the truth (`organization_id`, `emails`, `value`, ...);
        `custom` maps keys to logical values, None unsets. A given `update_time` is taken as it
        is, None included; otherwise it becomes now.
        """
        with self.same_moment() as moment:
            for record in [self.record(entity, record_id) for record_id in ids]:
                self._apply(entity, record, changes)
                self.touch(record, moment, moves_update_time="update_time" not in changes)

    def delete(self, entity: Entity, *ids: Any) -> None:
        """Delete records: leads vanish for good, the others can be restored."""
        with self.same_moment() as moment:
            for record in [self.record(entity, record_id) for record_id in ids]:
                if isinstance(record, Lead):
                    del self.leads[record.id]
                    continue
                record.is_deleted, record.delete_time = True, moment
                self.touch(record, moment)

    def restore(self, entity: Entity, record_id: Any) -> None:
        """Bring a deleted person, organization or deal back."""
        with self.same_moment() as moment:
            record = self.records(entity).get(record_id)
            if record is None or not record.is_deleted:
                raise AccountError(f"there is no deleted {entity} {record_id!r}")
            record.is_deleted, record.delete_time = False, None
            if isinstance(record, Person | Organization):
                record.merged_into = None
            self.touch(record, moment)

    def merge(self, entity: Entity, loser_id: int, survivor_id: int) -> None:
        """Merge two persons or organizations: what the survivor lacks comes from the loser."""
        with self.same_moment() as moment:
            loser, survivor = self.record(entity, loser_id), self.record(entity, survivor_id)
            if loser is survivor or not isinstance(loser, Person | Organization):
                raise AccountError("a merge takes two different persons or organizations")
            survivor.custom = {**loser.custom, **survivor.custom}
            survivor.label_ids = list(dict.fromkeys([*survivor.label_ids, *loser.label_ids]))
            if isinstance(loser, Person):
                known = {contact.value for contact in survivor.emails}
                survivor.emails += [
                    Contact(contact.value, contact.label, primary=not known)
                    for contact in loser.emails
                    if contact.value not in known
                ]
            loser.merged_into = survivor.id
            self.delete(entity, loser.id)
            self.touch(survivor, moment)
            link = f"{entity}_id"
            for holder in (*self.persons.values(), *self.leads.values(), *self.deals.values()):
                if getattr(holder, link, None) == loser.id:
                    setattr(holder, link, survivor.id)
                    self.touch(holder, moment)

    def archive_lead(self, lead_id: str) -> None:
        """Archive an open lead."""
        with self.same_moment() as moment:
            lead: Lead = self.record("lead", lead_id)
            lead.is_archived, lead.archive_time = True, self.moment_of(lead, moment)
            self._touch_archived(lead, moment)

    def unarchive_lead(self, lead_id: str) -> None:
        """Open an archived lead again."""
        with self.same_moment() as moment:
            lead: Lead = self.record("lead", lead_id)
            lead.is_archived, lead.archive_time = False, None
            self._touch_archived(lead, moment)

    def convert_lead(self, lead_id: str) -> int:
        """Turn a lead into a deal, whose id is given; the lead vanishes."""
        with self.same_moment():
            lead: Lead = self.record("lead", lead_id)
            deal_id: int = self.create("deal", title=lead.title, owner_id=lead.owner_id)
            deal = self.deals[deal_id]
            deal.person_id, deal.organization_id = lead.person_id, lead.organization_id
            deal.value, deal.custom, deal.source_lead_id = lead.value, dict(lead.custom), lead.id
            del self.leads[lead.id]
            return deal_id

    def convert_deal_to_lead(self, deal_id: int) -> str:
        """Turn a deal into a lead, whose id is given; the deal is deleted."""
        with self.same_moment():
            deal: Deal = self.record("deal", deal_id)
            lead_id: str = self.create("lead", title=deal.title, owner_id=deal.owner_id)
            lead = self.leads[lead_id]
            lead.person_id, lead.organization_id = deal.person_id, deal.organization_id
            lead.value, lead.custom = deal.value, dict(deal.custom)
            lead.source_name, lead.source_deal_id = "Deal", deal.id
            self.delete("deal", deal_id)
            return lead_id

    def set_visibility(self, entity: Entity, hidden_share: float) -> int:
        """Hide a share of an entity's records from the token's user; gives how many are hidden."""
        with self.same_moment():
            ids = list(self.records(entity))
            hidden = {x for n, x in enumerate(ids) if (n * 7919 % 1000) < hidden_share * 1000}
            self.hidden[entity] = hidden
            return len(hidden)

    def set_admin(self, is_admin: bool) -> None:
        """Make the token's user a global admin, or not."""
        with self.same_moment():
            self.is_admin = is_admin

    def live(self, changes: int) -> list[str]:
        """Let a mix of changes happen; gives a plain sentence for each of them."""
        with self.lock:
            return story.live(self, changes)

    def _touch_archived(self, lead: Lead, moment: Any) -> None:
        self.touch(lead, moment, moves_update_time=self.options.archive_moves_update_time)

    def _apply(self, entity: Entity, record: Record, changes: Mapping[str, Any]) -> None:
        for name, value in changes.items():
            if name == "custom":
                for key, logical in value.items():
                    self._set_custom(entity, record, key, logical)
            elif name in ("id", "revision") or not hasattr(record, name):
                raise AccountError(f"{entity} has no attribute {name!r}")
            else:
                read = _READ.get(name)
                setattr(record, name, read(value) if read and value is not None else value)

    def _set_custom(self, entity: Entity, record: Record, key: str, logical: Any) -> None:
        if logical is None:
            record.custom.pop(key, None)
            return
        definition = self.field("deal" if entity == "lead" else entity, key)
        try:
            record.custom[key] = VALUE_TYPES[definition.field_type].parse(logical)
        except (TypeError, ValueError, KeyError, ArithmeticError) as error:
            raise AccountError(f"{logical!r} is not a {definition.field_type}") from error
