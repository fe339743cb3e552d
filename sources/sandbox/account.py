"""The account: the truth that the API shows, and its life.

`Account` holds users, records and definitions as they are. Every method below is one change made
by somebody in Pipedrive; each moves the account's clock by a few seconds and leaves its time on
the records it touches, as Pipedrive documents it or, where nothing is documented, as an option
says.
"""

from typing import Any

from sources.sandbox import story
from sources.sandbox.record_life import RecordLife
from sources.sandbox.records import (
    NO_VALUE,
    Contact,
    Deal,
    Entity,
    Lead,
    Organization,
    Person,
)
from sources.sandbox.state import AccountError


class Account(RecordLife):
    """A Pipedrive account that lives. Safe to use from any thread beside a running server."""

    def merge(self, entity: Entity, loser_id: int, survivor_id: int) -> None:
        """Merge two persons, organizations or deals: what the survivor lacks the loser gives."""
        with self.same_moment() as moment:
            loser, survivor = self.record(entity, loser_id), self.record(entity, survivor_id)
            if loser is survivor or not isinstance(loser, Person | Organization | Deal):
                raise AccountError("a merge takes two different persons, organizations or deals")
            survivor.custom = {**loser.custom, **survivor.custom}
            survivor.label_ids = list(dict.fromkeys([*survivor.label_ids, *loser.label_ids]))
            if isinstance(loser, Person):
                known = {contact.value for contact in survivor.emails}
                survivor.emails += [
                    Contact(contact.value, contact.label, primary=not known)
                    for contact in loser.emails
                    if contact.value not in known
                ]
            if isinstance(loser, Deal):
                survivor.person_id = survivor.person_id or loser.person_id
                survivor.organization_id = survivor.organization_id or loser.organization_id
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
        self._set_archived("lead", lead_id, is_archived=True)

    def unarchive_lead(self, lead_id: str) -> None:
        """Open an archived lead again."""
        self._set_archived("lead", lead_id, is_archived=False)

    def archive_deal(self, deal_id: int) -> None:
        """Archive a deal; it stays open, won or lost."""
        self._set_archived("deal", deal_id, is_archived=True)

    def unarchive_deal(self, deal_id: int) -> None:
        """Take a deal out of the archive."""
        self._set_archived("deal", deal_id, is_archived=False)

    def convert_lead(self, lead_id: str) -> int:
        """Turn a lead into a deal, whose id is given; the lead vanishes.

        The deal begins in the first stage of the first pipeline.
        """
        with self.same_moment():
            lead: Lead = self.record("lead", lead_id)
            deal_id: int = self.create("deal", title=lead.title, owner_id=lead.owner_id)
            deal = self.deals[deal_id]
            deal.person_id, deal.organization_id = lead.person_id, lead.organization_id
            deal.value, deal.custom = lead.value or NO_VALUE, dict(lead.custom)
            deal.expected_close_date, deal.visible_to = lead.expected_close_date, lead.visible_to
            deal.source_lead_id, lead.converted_deal_id = lead.id, deal_id
            self.delete("lead", lead_id)
            return deal_id

    def convert_deal_to_lead(self, deal_id: int) -> str:
        """Turn a deal into a lead, whose id is given; the deal is deleted."""
        with self.same_moment():
            deal: Deal = self.record("deal", deal_id)
            lead_id: str = self.create("lead", title=deal.title, owner_id=deal.owner_id)
            lead = self.leads[lead_id]
            lead.person_id, lead.organization_id = deal.person_id, deal.organization_id
            lead.value, lead.custom = deal.value, dict(deal.custom)
            lead.expected_close_date, lead.visible_to = deal.expected_close_date, deal.visible_to
            lead.source_name, lead.source_deal_id = "Deal", deal.id
            deal.converted_lead_id = lead_id
            self.delete("deal", deal_id)
            return lead_id

    def set_visibility(self, entity: Entity, hidden_share: float) -> int:
        """Hide a share of an entity's records from the token's user; gives how many are hidden."""
        with self.same_moment():
            ids = list(self.records(entity))
            if entity == "lead":
                ids += self.removed_leads
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

    def _set_archived(self, entity: Entity, record_id: Any, *, is_archived: bool) -> None:
        with self.same_moment() as moment:
            record = self.record(entity, record_id)
            record.is_archived = is_archived
            record.archive_time = self.moment_of(record, moment) if is_archived else None
            moves = self.options.archive_moves_update_time
            self.touch(record, moment, moves_update_time=moves)
