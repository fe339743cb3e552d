"""How the field definitions of an account change. No such change moves a record's update_time."""

import hashlib

from sources.sandbox.definitions import Field, Option
from sources.sandbox.records import Entity, Record
from sources.sandbox.state import AccountError, State
from sources.sandbox.values import VALUE_TYPES, converted


class FieldLife(State):
    """Definitions that are added, renamed, retyped and deleted.

    Everywhere `entity` is person, organization or deal (leads have the fields of deals) and `key`
    the field's key.
    """

    def field(self, entity: Entity, key: str) -> Field:
        """Give a definition; raises AccountError."""
        for candidate in self.fields.get(entity, ()):
            if candidate.key == key:
                return candidate
        raise AccountError(f"{entity} has no field {key!r}")

    def field_named(self, entity: Entity, name: str) -> Field:
        """Give the first custom field of that name; raises AccountError."""
        for candidate in self.custom_fields(entity):
            if candidate.name == name:
                return candidate
        raise AccountError(f"{entity} has no custom field called {name!r}")

    def add_field(
        self,
        entity: Entity,
        name: str,
        field_type: str = "varchar",
        options: list[str] | None = None,
    ) -> str:
        """Add a custom field, with option labels if it is an enum or set; gives its key."""
        if field_type not in VALUE_TYPES:
            raise AccountError(f"{field_type!r} is not a type that a custom field can have")
        if entity not in self.fields:
            raise AccountError(f"there are no fields of {entity!r}")
        with self.same_moment() as moment:
            self.last_field_id += 1
            has_options = field_type in ("enum", "set")
            added = Field(
                id=self.last_field_id,
                key=self._new_key(entity),
                name=name,
                field_type=field_type,
                add_time=moment,
                update_time=moment,
                options=[self._new_option(x) for x in options or ()] if has_options else None,
            )
            self.fields[entity].append(added)
            self._definitions_changed(entity)
            return added.key

    def rename_field(self, entity: Entity, key: str, name: str) -> None:
        """Give a field another name."""
        with self.same_moment() as moment:
            changed = self.field(entity, key)
            changed.name, changed.update_time = name, moment
            self._definitions_changed(entity)

    def delete_field(self, entity: Entity, key: str) -> None:
        """Delete a field; its values vanish from all records."""
        with self.same_moment():
            self.fields[entity].remove(self.field(entity, key))
            for record in self._holders(entity):
                record.custom.pop(key, None)
            self._definitions_changed(entity)

    def change_field_type(self, entity: Entity, key: str, field_type: str) -> None:
        """Give a field another type; values that do not fit it vanish."""
        if field_type not in VALUE_TYPES:
            raise AccountError(f"{field_type!r} is not a type that a custom field can have")
        with self.same_moment() as moment:
            changed = self.field(entity, key)
            for record in self._holders(entity):
                value = record.custom.pop(key, None)
                value = None if value is None else converted(value, changed.field_type, field_type)
                if value is not None:
                    record.custom[key] = value
            changed.field_type, changed.update_time = field_type, moment
            changed.options = [] if field_type in ("enum", "set") else None
            self._definitions_changed(entity)

    def option(self, entity: Entity, key: str, label: str) -> Option:
        """Give the option of that label; raises AccountError."""
        for candidate in self.field(entity, key).options or ():
            if candidate.label == label:
                return candidate
        raise AccountError(f"field {key!r} has no option {label!r}")

    def add_option(self, entity: Entity, key: str, label: str) -> int:
        """Add an option to an enum or set field (or to the labels, `label_ids`); gives its id."""
        with self.same_moment() as moment:
            changed = self.field(entity, key)
            if changed.options is None:
                raise AccountError(f"a field of type {changed.field_type} has no options")
            added = self._new_option(label)
            changed.options.append(added)
            changed.update_time = moment
            self._definitions_changed(entity)
            return int(added.id)

    def rename_option(self, entity: Entity, key: str, option_id: int, label: str) -> None:
        """Give an option another label; records keep the id."""
        with self.same_moment() as moment:
            self._option(entity, key, option_id).label = label
            self.field(entity, key).update_time = moment
            self._definitions_changed(entity)

    def delete_option(self, entity: Entity, key: str, option_id: int) -> None:
        """Delete an option; records keep the id, which means nothing any more."""
        with self.same_moment() as moment:
            changed = self.field(entity, key)
            deleted = self._option(entity, key, option_id)
            assert changed.options is not None
            changed.options.remove(deleted)
            changed.options_deleted.append(deleted)
            changed.update_time = moment
            self._definitions_changed(entity)

    def _option(self, entity: Entity, key: str, option_id: int) -> Option:
        for candidate in self.field(entity, key).options or ():
            if candidate.id == option_id:
                return candidate
        raise AccountError(f"field {key!r} has no option {option_id!r}")

    def _new_option(self, label: str) -> Option:
        self.last_option_id += 1
        return Option(self.last_option_id, label)

    def _new_key(self, entity: Entity) -> str:
        name = f"{self.options.seed}/{entity}/{self.last_field_id}"
        return hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()

    def _holders(self, entity: Entity) -> list[Record]:
        holders = list(self.records(entity).values())
        return [*holders, *self.leads.values()] if entity == "deal" else holders

    def _definitions_changed(self, entity: Entity) -> None:
        self.fields_revision[entity] = self.fields_revision.get(entity, 0) + 1
