"""What a look at the definitions changes, as typed changes that say themselves in a sentence."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from transforms.custom_fields.definitions import LABELS_KEY, Entity
from transforms.custom_fields.field_types import SQL_TYPES, field_type
from transforms.custom_fields.options import KnownOption
from transforms.custom_fields.registry import CustomColumn
from transforms.custom_fields.unnamed import UNNAMED

_MANY = 3  # new fields of an entity that are told one by one


@dataclass(frozen=True, slots=True)
class FieldChange(ABC):
    """Something that is not as it was before: `label` and `column_name` are the newest."""

    entity: Entity
    key: str
    label: str
    column_name: str

    @property
    @abstractmethod
    def words(self) -> str:
        """What has changed, without the entity."""

    @property
    def text(self) -> str:
        """What has changed, in one sentence."""
        return f"{self.entity}: {self.words}"


@dataclass(frozen=True, slots=True)
class Added(FieldChange):
    """A custom field seen for the first time. `is_active` false: in records, not defined."""

    field_type: str
    is_active: bool = True

    @property
    def words(self) -> str:
        """As in FieldChange."""
        if not self.is_active:
            return f"records hold a field that no definition names: column {self.column_name}"
        return f'new field "{self.label}" ({self.field_type}): column {self.column_name}'


@dataclass(frozen=True, slots=True)
class Renamed(FieldChange):
    """A custom field whose label, or whose column, is another than before.

    `column_before` stays as an alias, unless `is_alias` says that another field has the name now.
    """

    label_before: str
    column_before: str
    is_alias: bool = True

    @property
    def words(self) -> str:
        """As in FieldChange."""
        is_same = self.label == self.label_before
        said = f'"{self.label}"' if is_same else f'"{self.label_before}" is now "{self.label}"'
        if self.column_name == self.column_before:
            return f"{said}: column {self.column_name} as before"
        alias = f", {self.column_before} stays as an alias" if self.is_alias else ""
        now = " is now" if is_same else ""
        return f"{said}: column{now} {self.column_name}{alias}"


@dataclass(frozen=True, slots=True)
class TypeChanged(FieldChange):
    """A custom field whose values are of another type now."""

    field_type: str
    type_before: str

    @property
    def words(self) -> str:
        """As in FieldChange."""
        sql_type = SQL_TYPES[field_type(self.field_type).kind]
        return (
            f'"{self.label}" is of type {self.field_type} now, not {self.type_before}: '
            f"column {self.column_name} is {sql_type}"
        )


@dataclass(frozen=True, slots=True)
class Deleted(FieldChange):
    """A custom field that Pipedrive has no more."""

    @property
    def words(self) -> str:
        """As in FieldChange."""
        return f'"{self.label}" was deleted: column {self.column_name} keeps the last values known'


@dataclass(frozen=True, slots=True)
class CameBack(FieldChange):
    """A custom field that was deleted and is there again."""

    @property
    def words(self) -> str:
        """As in FieldChange."""
        return f'"{self.label}" is back: column {self.column_name} shows what records say now'


@dataclass(frozen=True, slots=True)
class OptionChange(FieldChange, ABC):
    """Something about an option of a field, or about a label of the entity."""

    option_id: str
    option: str


@dataclass(frozen=True, slots=True)
class OptionAdded(OptionChange):
    """An option that can be chosen now."""

    @property
    def words(self) -> str:
        """As in FieldChange."""
        return f'"{self.label}" has a new option "{self.option}"'


@dataclass(frozen=True, slots=True)
class OptionRenamed(OptionChange):
    """An option that has another label, in every record."""

    option_before: str

    @property
    def words(self) -> str:
        """As in FieldChange."""
        return f'option "{self.option_before}" of "{self.label}" is now "{self.option}"'


@dataclass(frozen=True, slots=True)
class OptionDeleted(OptionChange):
    """An option that cannot be chosen any more."""

    @property
    def words(self) -> str:
        """As in FieldChange."""
        return f'option "{self.option}" of "{self.label}" was deleted: it keeps its label'


def differences(
    entity: Entity,
    before: Sequence[CustomColumn],
    after: Sequence[CustomColumn],
    options_before: Sequence[KnownOption],
    options_after: Sequence[KnownOption],
) -> tuple[FieldChange, ...]:
    """What differs in registry and options of one entity: by field in its order, labels last."""
    known = {column.key: column for column in before}
    is_first = not before and not options_before
    changes: list[FieldChange] = []
    for column in after:
        old = known.get(column.key)
        if old is None:
            changes.append(
                Added(
                    entity,
                    column.key,
                    column.label,
                    column.column_name,
                    column.field_type,
                    column.is_active,
                )
            )
        else:
            changes += _field_changes(old, column)
            shown = (column.key, column.label, column.column_name)
            changes += _option_changes(entity, shown, options_before, options_after)
    if not is_first:
        labels = (LABELS_KEY, "Labels", "labels")
        changes += _option_changes(entity, labels, options_before, options_after)
    return tuple(changes)


def tell(changes: Sequence[FieldChange], most: int = 10) -> list[str]:
    """The changes as at most `most` sentences, and one more that says how many are left out.

    Many new fields of one entity, as a first load finds them, are one sentence.
    """
    sentences: list[str] = []
    for entity, group in groupby(changes, key=lambda change: change.entity):
        found = list(group)
        added = [c for c in found if isinstance(c, Added) and c.is_active]
        if len(added) > _MANY:
            names = ", ".join(change.column_name for change in added[:_MANY])
            sentences.append(f"{entity}: {len(added)} new fields: {names} and so on")
            found = [change for change in found if change not in added]
        sentences += [change.text for change in found]
    left = len(sentences) - most
    if left > 0:
        sentences[most:] = [f"and {left:,} more changes of fields: see custom_fields"]
    return sentences


def _field_changes(old: CustomColumn, new: CustomColumn) -> Iterator[FieldChange]:
    shown = (new.entity, new.key, new.label, new.column_name)
    if (old.label, old.column_name) != (new.label, new.column_name):
        is_alias = old.column_name in new.aliases
        yield Renamed(*shown, old.label, old.column_name, is_alias)
    if old.field_type == UNNAMED:  # nothing was known of it
        return
    if old.field_type != new.field_type:
        yield TypeChanged(*shown, new.field_type, old.field_type)
    if old.is_active and not new.is_active:
        yield Deleted(*shown)
    if new.is_active and not old.is_active:
        yield CameBack(*shown)


def _option_changes(
    entity: Entity,
    shown: tuple[str, str, str],
    before: Sequence[KnownOption],
    after: Sequence[KnownOption],
) -> Iterator[FieldChange]:
    key = shown[0]
    known = {option.option_id: option for option in before if option.key == key}
    for new in after:
        if new.key != key:
            continue
        old = known.get(new.option_id)
        field = (entity, *shown, new.option_id, new.label)
        if new.is_active and (old is None or not old.is_active):
            yield OptionAdded(*field)
        elif old is not None and old.is_active and not new.is_active:
            yield OptionDeleted(*field)
        elif old is not None and new.is_active and old.label != new.label:
            yield OptionRenamed(*field, old.label)
