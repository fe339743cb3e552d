"""What can happen to an account, chosen by plain numbers, and which of it no API tells.

A change moves the `update_time` of the records it touches, and then every list shows it. What
does not is `silent`: a record without `update_time`, archived or unarchived where that moves no
`update_time`, shown or hidden, or with values that vanished with their field.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sources.sandbox.account import Account
from sources.sandbox.definitions import Field
from sources.sandbox.records import Entity
from sources.sandbox.values import VALUE_TYPES

RECORDS: tuple[Entity, ...] = ("person", "organization", "lead", "deal")
MERGEABLE: tuple[Entity, ...] = ("person", "organization", "deal")
ARCHIVABLE: tuple[Entity, ...] = ("lead", "deal")
FIELD_TYPES = tuple(VALUE_TYPES)
FIELD_NAMES = ("Budget", "Name", "Segment", "Größe in m²", "Score", "Score (id)", "🚀")
_TEXTS = ("plain", 'she said "no", it\'s', "0042", "12", "2026-02-03", "a\nb", "[1,2]", "null")
_VALUES: dict[str, Sequence[Any]] = {
    **dict.fromkeys(("varchar", "varchar_auto", "text", "phone"), _TEXTS),
    "double": (0, -1.5, 0.1, 12, 1234567.891),
    "int": (0, 7, -1, 2**53 - 1),
    "monetary": (
        {"value": "0.1", "currency": "EUR"},
        {"value": "-1234.56", "currency": "USD"},
        {"value": "9999999999.99", "currency": "EUR"},
    ),
    "date": ("2024-02-29", "1999-12-31", "2026-06-01"),
    "daterange": ({"value": "2024-02-28", "until": "2024-03-01"},),
    "time": ({"value": "00:00:00", "timezone_id": 182}, {"value": "23:59:59", "timezone_id": 166}),
    "timerange": ({"value": "22:00:00", "until": "06:00:00", "timezone_id": 31},),
    "address": (
        {"value": "Duck Pond 1", "locality": "Tartu", "country": "Estonia"},
        {"value": 'somewhere "near"'},
    ),
}


class Life:
    """Changes of one account. A number that finds nothing to change changes nothing."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.silent: set[tuple[Entity, Any]] = set()
        self.restored: set[tuple[Entity, Any]] = set()
        self.changes = 0

    @contextmanager
    def change(self) -> Iterator[Account]:
        """Note which records change inside without a sign that a list could show."""
        self.changes += 1
        before, began = self._picture(), self.account.now
        yield self.account
        after = self._picture()
        self.silent &= after.keys()
        for which, (updated, content) in after.items():
            if which not in before or before[which][1] != content:
                self.silent.add(which)
            if updated is not None and updated > began:
                self.silent.discard(which)

    def create(self, entity: Entity, number: int) -> None:
        """Create a record, linked to others where its kind is."""
        links = self._links(entity, number)
        name = {"name" if entity in ("person", "organization") else "title": f"New {number}"}
        with self.change() as account:
            account.create(entity, **name, **links)

    def edit(self, entity: Entity, number: int, what: int) -> None:
        """Change an attribute of a record, a link, its labels, contacts or time."""
        record = self._pick(entity, number)
        edits = self._edits(entity, number)
        if record is not None:
            with self.change() as account:
                account.edit(entity, record.id, **edits[what % len(edits)])

    def set_value(self, entity: Entity, number: int, which: int, value: int) -> None:
        """Set a custom value of a record, or unset it."""
        record = self._pick(entity, number)
        field = _nth(self.account.custom_fields(entity), which)
        if record is not None and field is not None:
            with self.change() as account:
                account.edit(entity, record.id, custom={field.key: self._value(field, value)})

    def merge(self, entity: Entity, number: int, other: int) -> None:
        """Merge a record into another."""
        loser, survivor = self._pick(entity, number), self._pick(entity, other)
        if loser is not None and loser is not survivor:
            with self.change() as account:
                account.merge(entity, loser.id, survivor.id)

    def archive(self, entity: Entity, number: int) -> None:
        """Archive a lead or deal, or take it out of the archive."""
        record = self._pick(entity, number)
        if record is not None:
            verb = "unarchive" if record.is_archived else "archive"
            with self.change():
                getattr(self.account, f"{verb}_{entity}")(record.id)

    def convert(self, entity: Entity, number: int) -> None:
        """Turn a lead into a deal, or a deal into a lead."""
        record = self._pick(entity, number)
        if record is not None:
            with self.change() as account:
                convert = account.convert_lead if entity == "lead" else account.convert_deal_to_lead
                convert(record.id)

    def delete(self, entity: Entity, number: int) -> None:
        """Delete a record."""
        record = self._pick(entity, number)
        if record is not None:
            with self.change() as account:
                account.delete(entity, record.id)

    def restore(self, entity: Entity, number: int) -> None:
        """Bring a deleted record back, one merged away or converted too."""
        record = _nth(self.account.gone(entity), number)
        if record is not None:
            with self.change() as account:
                account.restore(entity, record.id)
            self.restored.add((entity, record.id))

    def hide(self, entity: Entity, share: float) -> None:
        """Let the token's user see fewer records, or (0) all of them."""
        with self.change() as account:
            account.set_visibility(entity, share)

    def change_field(self, entity: Entity, number: int, other: int, what: int) -> None:
        """Add, rename, delete, retype a field, swap two names, or put another one in its place."""
        fields = self.account.custom_fields(entity)
        field, second = _nth(fields, number), _nth(fields, other)
        name, kind = FIELD_NAMES[other % len(FIELD_NAMES)], FIELD_TYPES[other % len(FIELD_TYPES)]
        with self.change() as account:
            if field is None or second is None or what % 6 == 0:
                account.add_field(entity, name, kind, ["a", "b"])
            elif what % 6 == 1:
                account.rename_field(entity, field.key, name)
            elif what % 6 == 2:
                account.delete_field(entity, field.key)
            elif what % 6 == 3:
                account.change_field_type(entity, field.key, kind)
            elif what % 6 == 4:
                first, last = field.name, second.name
                account.rename_field(entity, field.key, last)
                account.rename_field(entity, second.key, first)
            else:
                account.delete_field(entity, field.key)
                account.add_field(entity, field.name, kind, ["a", "b"])

    def change_option(self, entity: Entity, number: int, which: int, what: int) -> None:
        """Add, rename or delete an option of a field or a label, or put its like in its place."""
        fields = [self.account.field(entity, "label_ids"), *self.account.custom_fields(entity)]
        field = _nth([x for x in fields if x.options is not None], number)
        if field is None:
            return
        option = _nth(field.options or [], which)
        with self.change() as account:
            if option is None or what % 4 == 0:
                account.add_option(entity, field.key, f"Option {which}")
            elif what % 4 == 1:
                account.rename_option(entity, field.key, int(option.id), f"Renamed {which}")
            else:
                account.delete_option(entity, field.key, int(option.id))
                if what % 4 == 3:
                    account.add_option(entity, field.key, option.label)

    def change_pipeline(self, number: int, what: int) -> None:
        """Add, rename, delete a stage, or add, rename, delete a pipeline; the first one stays."""
        account = self.account
        pipeline = _nth(account.visible("pipeline")[1:], number)
        stage = _nth(account.visible("stage")[1:], number)
        with self.change():
            match what % 6:
                case 0:
                    account.create("stage", name=f"Stage {number}")
                case 1:
                    account.create("pipeline", name=f"Pipeline {number}")
                case 2 if stage is not None:
                    account.edit("stage", stage.id, name=f"Renamed {number}")
                case 3 if stage is not None:
                    account.delete("stage", stage.id)
                case 4 if pipeline is not None:
                    account.edit("pipeline", pipeline.id, name=f"Renamed {number}")
                case 5 if pipeline is not None:
                    account.delete("pipeline", pipeline.id)

    def pass_time(self, seconds: int) -> None:
        """Let time pass."""
        self.account.advance(seconds)

    def _picture(self) -> dict[tuple[Entity, Any], tuple[Any, str]]:
        """What lists show of each record: when it was updated, and all the rest."""
        return {
            (entity, record.id): (
                record.update_time,
                repr(replace(record, update_time=None, revision=0)),
            )
            for entity in RECORDS
            for record in self.account.visible(entity)
        }

    def _pick(self, entity: Entity, number: int) -> Any:
        return _nth(self.account.visible(entity), number)

    def _links(self, entity: Entity, number: int) -> dict[str, Any]:
        person, organization = self._pick("person", number), self._pick("organization", number)
        person_id = person.id if person is not None else None
        organization_id = organization.id if organization is not None else None
        match entity:
            case "person":
                return {"organization_id": organization_id}
            case "organization":
                return {}
            case _:
                return {"person_id": person_id, "organization_id": organization_id}

    def _edits(self, entity: Entity, number: int) -> list[dict[str, Any]]:
        """Edits of a record; the last one leaves it without `update_time`."""
        account = self.account
        name = "name" if entity in ("person", "organization") else "title"
        timeless = {name: f"Timeless {number}", "update_time": None}
        owner = {"owner_id": account.users[number % len(account.users)].id}
        edits: list[dict[str, Any]] = [{name: f"Renamed {number}"}, owner]
        if entity == "lead":
            label_ids: list[Any] = [label.id for label in account.lead_labels]
        else:
            label_ids = [int(x.id) for x in account.field(entity, "label_ids").options or ()]
        edits.append({"label_ids": label_ids[number % 3 : 2 + number % 3]})
        if entity != "organization":
            edits.append(self._links(entity, number))
        if entity == "person":
            contacts = [
                {"value": f"{n}@example.com", "label": "work", "primary": n == number % 3}
                for n in range(number % 3)
            ]
            edits += [{"emails": contacts}, {"phones": contacts}]
        elif entity == "organization":
            edits += [{"address": _VALUES["address"][number % 2]}, {"address": None}]
        else:
            edits.append({"value": {"amount": f"{number}.50", "currency": "EUR"}})
        if entity == "deal":
            stages = account.visible("stage")
            status = ("open", "won", "lost")[number % 3]
            edits += [{"stage_id": stages[number % len(stages)].id}, {"status": status}]
        return [*edits, timeless]

    def _value(self, field: Field, number: int) -> Any:
        """A value of the field, None (unset) now and then."""
        account = self.account
        ids = [int(option.id) for option in field.options or ()]
        match field.field_type:
            case "enum" | "user" | "people" | "org" as kind:
                references = {
                    "enum": ids,
                    "user": [user.id for user in account.users],
                    "people": list(account.persons),
                    "org": list(account.organizations),
                }
                values: Sequence[Any] = references[kind]
            case "set":
                values = [ids[:1], ids[::-1]] if ids else []
            case kind:
                values = _VALUES[kind]
        return _nth([None, *values], number)


def _nth(things: Sequence[Any], number: int) -> Any:
    return things[number % len(things)] if things else None
