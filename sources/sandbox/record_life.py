"""How the records of an account change, one attribute at a time, and how they come and go."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from sources.sandbox import deal_rules
from sources.sandbox.field_life import FieldLife
from sources.sandbox.records import (
    Contact,
    Deal,
    Entity,
    Entry,
    Lead,
    Organization,
    Person,
    Pipeline,
    Record,
    Stage,
    parse_time,
)
from sources.sandbox.state import AccountError
from sources.sandbox.values import VALUE_TYPES, Money, address_of

_CLASSES: dict[Entity, type[Entry]] = {
    "person": Person,
    "organization": Organization,
    "lead": Lead,
    "deal": Deal,
    "pipeline": Pipeline,
    "stage": Stage,
}
_REQUIRED: dict[Entity, dict[str, Any]] = {
    "person": {"name": "New person", "first_name": None, "last_name": None},
    "organization": {"name": "New organization"},
    "lead": {"title": "New lead"},
    "deal": {"title": "New deal"},
    "pipeline": {"name": "New pipeline"},
    "stage": {"name": "New stage"},
}


def _contacts(json: Iterable[Mapping[str, Any]]) -> list[Contact]:
    return [Contact(x["value"], x.get("label"), bool(x.get("primary"))) for x in json]


_READ: dict[str, Callable[[Any], Any]] = {
    "emails": _contacts,
    "phones": _contacts,
    "address": address_of,
    "value": lambda json: Money(Decimal(str(json["amount"])), json["currency"]),
    **dict.fromkeys(
        (
            "add_time",
            "update_time",
            "archive_time",
            "delete_time",
            "stage_change_time",
            "close_time",
            "won_time",
            "lost_time",
        ),
        parse_time,
    ),
}
"""How attributes that are not plain JSON are read from the form that the truth has."""


class RecordLife(FieldLife):
    """Records that are created, edited, deleted and brought back."""

    def record(self, entity: Entity, record_id: Any) -> Any:
        """Give a record that is not deleted; raises AccountError."""
        found = self.records(entity).get(record_id)
        if found is None or found.is_deleted:
            raise AccountError(f"there is no {entity} {record_id!r}")
        return found

    def create(self, entity: Entity, **attributes: Any) -> Any:
        """Create a record and give its id. Attributes are those of the truth, see `edit`.

        A deal begins in the first stage of the first pipeline, or of the pipeline that is given.
        """
        with self.same_moment() as moment:
            table = self.records(entity)
            record_id = self.new_lead_id() if entity == "lead" else max(table, default=0) + 1
            created = _CLASSES[entity](
                id=record_id,
                add_time=moment,
                update_time=None,
                **_REQUIRED[entity],
                **self._owned(entity, attributes),
            )
            created.add_time = self.moment_of(created, moment)
            self._change(entity, created, attributes, moment)
            table[record_id] = created
            if "update_time" not in attributes:
                self.touch(created, moment)
            return record_id

    def edit(self, entity: Entity, *ids: Any, **changes: Any) -> None:
        """Change attributes of one record, or of several in the same second.

        Names and forms are those of the truth (`organization_id`, `emails`, `value`, ...);
        `custom` maps keys to logical values, None unsets. A given `update_time` is taken as it
        is, None included; otherwise it becomes now. What follows from a deal's new status, stage
        or pipeline follows, see `deal_rules`.
        """
        with self.same_moment() as moment:
            for record in [self.record(entity, record_id) for record_id in ids]:
                self._change(entity, record, changes, moment)
                self.touch(record, moment, moves_update_time="update_time" not in changes)

    def delete(self, entity: Entity, *ids: Any) -> None:
        """Delete records: leads vanish for good, the others can be restored.

        A pipeline takes its stages along; deals stay in them.
        """
        with self.same_moment() as moment:
            for record in [self.record(entity, record_id) for record_id in ids]:
                record.is_deleted, record.delete_time = True, moment
                if isinstance(record, Lead):
                    self.removed_leads[record.id] = self.leads.pop(record.id)
                    continue
                self.touch(record, moment)
                if isinstance(record, Pipeline):
                    stages = [x.id for x in self.visible("stage") if x.pipeline_id == record.id]
                    self.delete("stage", *stages)

    def restore(self, entity: Entity, record_id: Any) -> None:
        """Bring back what was deleted; leads are gone for good. Raises AccountError."""
        with self.same_moment() as moment:
            record = self.records(entity).get(record_id)
            if record is None or not record.is_deleted:
                raise AccountError(f"there is no deleted {entity} {record_id!r}")
            record.is_deleted, record.delete_time = False, None
            if isinstance(record, Person | Organization | Deal):
                record.merged_into = None
            if isinstance(record, Deal):
                record.converted_lead_id = None
            self.touch(record, moment)

    def _owned(self, entity: Entity, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Give what a new record has of the account: its owner, its place."""
        if entity == "pipeline":
            return {"order_nr": 1 + max((x.order_nr for x in self.pipelines.values()), default=0)}
        if entity == "stage":
            pipeline = attributes.get("pipeline_id") or self.first_stage().pipeline_id
            beside = [x.order_nr for x in self.stages.values() if x.pipeline_id == pipeline]
            return {"pipeline_id": pipeline, "order_nr": 1 + max(beside, default=0)}
        owned: dict[str, Any] = {"owner_id": self.me.id}
        if entity == "lead":
            owned["creator_id"] = self.me.id
        if entity == "deal":
            owned["creator_user_id"] = self.me.id
            owned |= deal_rules.first_place(self, attributes)
        return owned

    def _change(
        self, entity: Entity, record: Entry, changes: Mapping[str, Any], moment: Any
    ) -> None:
        before = deal_rules.place(record) if isinstance(record, Deal) else None
        for name, value in changes.items():
            if name == "custom" and isinstance(record, Record):
                for key, logical in value.items():
                    self._set_custom(entity, record, key, logical)
            elif name in ("id", "revision") or not hasattr(record, name):
                raise AccountError(f"{entity} has no attribute {name!r}")
            else:
                read = _READ.get(name)
                setattr(record, name, read(value) if read and value is not None else value)
        if isinstance(record, Deal) and before:
            try:
                deal_rules.settle(self, record, before, changes.keys(), moment)
            except AccountError:
                deal_rules.put_back(record, before)
                raise

    def _set_custom(self, entity: Entity, record: Record, key: str, logical: Any) -> None:
        if logical is None:
            record.custom.pop(key, None)
            return
        definition = self.field("deal" if entity == "lead" else entity, key)
        try:
            record.custom[key] = VALUE_TYPES[definition.field_type].parse(logical)
        except (TypeError, ValueError, KeyError, ArithmeticError) as error:
            raise AccountError(f"{logical!r} is not a {definition.field_type}") from error
