"""What the published file must hold after each run: the account, and what the file held before.

A run without a whole list may lag behind the account only where no API tells of a change: records
that `Life` calls silent, leads that were deleted, records that went out of sight. Everything else
must be there at once, and after a reconcile nothing lags.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from expected import FIELDS_OF, NOT_SENT_BY_COLLECTION, Known, Row, columns_of, expected
from expected import expected_listing as listing
from life_of_account import Life
from projects import Project
from published import Published

from pipelines.outcome import RunResult
from sources.pipedrive.endpoints import TABLES
from sources.sandbox import Sandbox
from sources.sandbox.records import Entity
from sources.sandbox.truth import truth

ENTITY: dict[str, Entity] = {
    "leads": "lead",
    "persons": "person",
    "organizations": "organization",
    "deals": "deal",
}
_OF_OTHERS = {
    "labels", "status", "is_deleted", "deleted_time", "merged_into_id", "converted_deal_id",
    "converted_lead_id",
}  # fmt: skip
"""Columns that can change although the record is gone, beside names and custom ones."""
_SHOWN_BY_NAME = ("enum", "set", "user", "people", "org")
_POLL_REACHES = timedelta(days=30)


@dataclass
class History:
    """One project that loads one account, seen after each of its runs."""

    box: Sandbox
    project: Project
    api: str
    max_rows: int = 20
    last: Published | None = None
    labels: dict[tuple[str, int], str] = field(default_factory=dict)
    told: dict[tuple[str, int], datetime] = field(default_factory=dict)
    """The deletions that a poll has told of, with their times."""
    survivors: dict[tuple[str, int], set[int]] = field(default_factory=dict)
    """Whom a record went into since it was last loaded alive."""
    columns: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    """Every main column that a field ever had."""
    polled: datetime | None = None
    is_sound: bool = True
    """Whether the last run held what it had to."""

    def __post_init__(self) -> None:
        self.life = Life(self.box.account)
        self.tables = tuple(t for t in TABLES if t != "deals" or self.box.options.v2)

    def begin(self) -> None:
        """Take the file as it is, loaded from the account as it is."""
        self._note_labels()
        self.check(Published(self.project))
        self.last, self.polled = Published(self.project), self.box.account.now

    def settle(self, keys: Mapping[str, Any]) -> None:
        """Reconcile, accepting deletions where the guard asks, and compare everything."""
        result = self.run(lambda: self.project.reconcile(**keys))
        if result.exit_code == 4:
            accept = partial(self.project.reconcile, accepts_deletions=True, **keys)
            assert self.run(accept).exit_code == 0
        self.check_whole()

    def run(self, run: Callable[[], RunResult]) -> RunResult:
        """Run, and check what must hold after any run."""
        self.is_sound = False
        asked = self.box.account.now
        was_refused_rightly = self._may_be_refused()
        result = run()
        if result.exit_code == 4:
            assert was_refused_rightly, result.error
            assert "nothing is marked as deleted" in str(result.error), result.error
        else:
            assert result.exit_code == 0, result.error
        self._forget_what_was_listed(result)
        now = Published(self.project)
        self._note_labels()
        self._note_told(asked)
        self.check(now)
        self.last, self.polled = now, asked
        self.is_sound = True
        return result

    def run_amid(self, run: Callable[[], RunResult]) -> Published:
        """Run while the account changes: what changed meanwhile may lag until the next run."""
        asked = self.box.account.now
        result = run()
        if result.exit_code == 4:
            assert "nothing is marked as deleted" in str(result.error), result.error
        else:
            assert result.exit_code == 0, result.error
        now = Published(self.project)
        self._note_labels()
        self.last, self.polled = now, asked
        return now

    def check(self, now: Published) -> None:
        """What holds after any run, whatever it listed."""
        account = truth(self.box.account)
        for table in self.tables:
            self._check_live(table, account, now)
            self._check_gone(table, now)
            self._check_kept(table, account, now)
        if "deals" not in self.tables:
            assert not now.tables["deals"]
        self._check_dictionary(account, now)
        self._check_contacts(now)

    def check_whole(self) -> None:
        """What holds after a reconcile that was not refused: nothing lags."""
        now, account = self.last, truth(self.box.account)
        assert now is not None
        assert not {x for x in self.life.silent if x[0] in [ENTITY[t] for t in self.tables]}
        for table in self.tables:
            visible = {row["id"] for row in account[table]}
            found_rows = now.tables[table]
            assert {id_ for id_, row in found_rows.items() if not row["is_deleted"]} == visible, (
                table
            )
        for name, rows in now.references.items():
            wanted = account[name]
            if name == "lead_sources":
                wanted = [{"name": source} for source in wanted]
            keys = wanted[0].keys()
            found = [{key: row[key] for key in keys} for row in rows]
            assert _sorted(found) == _sorted(wanted), name
        for name in ("pipelines", "stages") if "deals" in self.tables else ():
            present = listing(account, name, Known(now.names()))
            for id_, row in now.tables[name].items():
                assert row["is_deleted"] == (id_ not in present), (name, id_)
                _assert_row(present.get(id_, {}), row, (name, id_))
            assert present.keys() <= now.tables[name].keys(), name
        steps = self.project.rows(
            "select entity, rows_listed, rows_live from ops.steps where step = 'reconcile' "
            "and run_id = (select arg_max(run_id, started_time) from ops.runs)"
        )
        counts = {entity: (listed, live) for entity, listed, live in steps}
        for table in self.tables:
            assert counts[table] == (len(account[table]),) * 2, (table, counts)

    def _may_be_refused(self) -> bool:
        """Whether so many known records may be missing from a list that a guard may refuse."""
        for table in self.tables if self.last else ():
            rows = self.last.tables[table] if self.last else {}
            visible = self.box.account.visible(ENTITY[table])
            live = {id_ for id_, row in rows.items() if not row["is_deleted"]}
            missing = live - {record.id for record in visible}
            listed = {getattr(record, "is_archived", False) for record in visible}
            if missing and (len(missing) > self.max_rows or len(listed) < len(TABLES[table])):
                return True
        return False

    def _forget_what_was_listed(self, result: RunResult) -> None:
        """A record in a list that was read whole is not silent any more."""
        modes = {progress.entity: progress.mode for progress in result.progress}
        for table in self.tables:
            if all(modes.get(raw) in ("first", "full") for raw in TABLES[table]):
                self.life.silent = {x for x in self.life.silent if x[0] != ENTITY[table]}

    def _note_labels(self) -> None:
        """Labels as this run saw them; v1 also tells those of options that were deleted."""
        account = self.box.account
        owners: tuple[Entity, ...] = ("person", "organization", "deal")
        for entity in owners:
            for defined in account.custom_fields(entity):
                for option in defined.options or ():
                    self.labels[defined.key, int(option.id)] = option.label
                for option in defined.options_deleted if self.api == "collection" else ():
                    self.labels.setdefault((defined.key, int(option.id)), option.label)
            for option in account.field(entity, "label_ids").options or ():
                self.labels[f"{entity}.label_ids", int(option.id)] = option.label

    def _note_told(self, asked: datetime) -> None:
        """The deletions that this run's poll told of: with their rows, since the last poll."""
        account, options = self.box.account, self.box.options
        for table in self.tables:
            entity = ENTITY[table]
            if entity == "lead":
                continue
            for record in account.visible(entity):
                self.survivors.pop((table, record.id), None)
                self.told.pop((table, record.id), None)
                self.life.restored.discard((entity, record.id))
            is_told = options.recents_gone != "null" and self.polled is not None
            hidden = account.hidden.get(entity, ())
            for record in account.records(entity).values():
                if record.merged_into is not None:
                    self.survivors.setdefault((table, record.id), set()).add(record.merged_into)
                if not record.is_deleted or not is_told or record.id in hidden:
                    continue
                assert self.polled is not None
                if record.delete_time > max(self.polled, asked - _POLL_REACHES):
                    self.told[table, record.id] = record.delete_time

    def _check_live(self, table: str, account: Row, now: Published) -> None:
        """Every record in sight is a row that is not gone, each value as in the account."""
        fields = {key: row["column_name"] for (of, key), row in now.fields.items() if of == table}
        rows = expected(account, table, fields, Known(now.names(), self.labels))
        unsent = NOT_SENT_BY_COLLECTION[table] if self.api == "collection" else set[str]()
        for id_, row in rows.items():
            if (ENTITY[table], id_) in self.life.silent:
                continue
            assert id_ in now.tables[table], f"{table} lacks {id_}"
            sent = {
                column: value
                for column, value in row.items()
                if column not in unsent
                and not (self.api == "collection" and column.endswith("_timezone"))
            }
            _assert_row(sent, now.tables[table][id_], (table, id_))
        before = self.last.tables[table].keys() if self.last else set()
        assert now.tables[table].keys() >= before, f"{table} lost a row"
        assert now.tables[table].keys() - before <= rows.keys(), f"{table} has a row of its own"

    def _check_gone(self, table: str, now: Published) -> None:
        """The flags of records that were deleted, merged away or converted."""
        account, rows = self.box.account, now.tables[table]
        gone = [*account.records(ENTITY[table]).values(), *account.removed_leads.values()]
        for record in gone:
            row = rows.get(record.id)
            if row is None or not record.is_deleted:
                continue
            place = (table, record.id)
            if row["is_deleted"]:
                assert row["deleted_time"] is not None, place
            if table in ("leads", "deals") and row["is_deleted"]:
                self._check_converted(table, record, row, now)
            if table == "leads":
                continue
            if place in self.told:
                assert row["is_deleted"], place
                if row.get("status") != "converted":
                    # of a deal v1 tells its last change alone, which a merge elsewhere can move
                    last = record.update_time if table == "deals" else self.told[place]
                    assert self.told[place] <= row["deleted_time"] <= last, place
            known: set[int | None] = {None, *self.survivors.get(place, ())}
            if place in self.told and self.box.options.merge_what_id == "loser":
                known = {record.merged_into}
            if row.get("status") != "converted":
                assert row["merged_into_id"] in known, (place, known)

    def _check_converted(self, table: str, record: Any, row: Row, now: Published) -> None:
        """What became of a lead or deal, where the record that it became was ever loaded."""
        other, pointer = ("deals", "converted_deal_id")
        if table == "deals":
            other, pointer = ("leads", "converted_lead_id")
        successor = getattr(record, pointer)
        is_known = successor in now.tables[other]
        place = (table, record.id, successor)
        if (ENTITY[table], record.id) in self.life.restored and not is_known:
            return  # never read in between: that an earlier lead still names it is all there is
        assert row["status"] == ("converted" if is_known else "deleted"), place
        assert row[pointer] == (successor if is_known else None), place
        if is_known:
            assert row["deleted_time"] == now.tables[other][successor]["add_time"], place

    def _check_kept(self, table: str, account: Row, now: Published) -> None:
        """What is gone, a record or a field, keeps the values that were last known."""
        if self.last is None:
            return
        fields = {key: row for (of, key), row in now.fields.items() if of == table}
        active = {x["key"] for x in account["fields"][FIELDS_OF[table]]}
        visible = {row["id"] for row in account[table]}
        before_fields = {key: row for (of, key), row in self.last.fields.items() if of == table}
        kept: dict[str, str] = {}  # earlier column to present one, of fields that are gone
        for key, old in before_fields.items():
            if key not in active:
                new = columns_of(old["field_type"], fields[key]["column_name"])
                columns = zip(columns_of(old["field_type"], old["column_name"]), new, strict=True)
                skipped = 1 if old["field_type"] in _SHOWN_BY_NAME else 0
                kept |= dict(list(columns)[skipped:])
        for id_, old in self.last.tables[table].items():
            row = now.tables[table][id_]
            for earlier, column in kept.items():
                assert row[column] == old[earlier], (table, id_, column)
            if id_ not in visible:
                for column, value in old.items():
                    if not column.startswith("cf_") and not column.endswith("_name"):
                        is_kept = column in _OF_OTHERS or row[column] == value
                        assert is_kept, (table, id_, column, value, row[column])
        for id_ in now.tables[table].keys() - self.last.tables[table].keys():
            for column in kept.values():
                assert now.tables[table][id_][column] is None, (table, id_, column)

    def _check_dictionary(self, account: Row, now: Published) -> None:
        """Fields and options: those there are, those that were, and every column they had."""
        for table in self.tables:
            rows = now.tables[table]
            defined = {x["key"]: x for x in account["fields"][FIELDS_OF[table]]}
            fields = {key: row for (of, key), row in now.fields.items() if of == table}
            if not fields and table == "deals":
                continue  # no deal was ever loaded
            before = {key for of, key in (self.last.fields if self.last else ()) if of == table}
            assert fields.keys() == defined.keys() | before, table
            for key, row in fields.items():
                place = (table, key)
                assert row["is_active"] == (key in defined), place
                if key in defined:
                    found = (row["label"], row["field_type"])
                    assert found == (defined[key]["name"], defined[key]["field_type"]), place
                    self._check_options(now, table, key, defined[key]["options"])
                had = self.columns.setdefault(place, set())
                had.add(row["column_name"])
                for record in rows.values():
                    for column in had:
                        assert record[column] == record[row["column_name"]], (place, column)
            if table != "leads":
                labels = account["labels"][FIELDS_OF[table]]
                self._check_options(now, table, "label_ids", labels)

    def _check_options(self, now: Published, table: str, key: str, options: list[Row]) -> None:
        """The options of one field in order, and those that were deleted with their last label."""
        name = f"{FIELDS_OF[table]}.label_ids" if key == "label_ids" else key
        rows = [row for row in now.options if (row["entity"], row["key"]) == (table, key)]
        active = sorted((row for row in rows if row["is_active"]), key=lambda x: x["position"])
        found = [(int(row["option_id"]), row["label"]) for row in active]
        assert found == [(option["id"], option["label"]) for option in options], (table, key)
        for row in rows:
            label = self.labels.get((name, int(row["option_id"])))
            assert row["label"] == label, (table, key, row["option_id"])

    def _check_contacts(self, now: Published) -> None:
        for table, column in (("person_emails", "emails"), ("person_phones", "phones")):
            wanted = [
                {"person_id": id_, "position": position, **contact}
                for id_, row in now.tables["persons"].items()
                for position, contact in enumerate(row[column] or (), 1)
            ]
            assert _sorted(now.contacts[table]) == _sorted(wanted), table


def _assert_row(wanted: Row, found: Row, place: tuple[object, ...]) -> None:
    different = {c: (found[c], value) for c, value in wanted.items() if found[c] != value}
    assert not different, (*place, different)


def _sorted(rows: list[Row]) -> list[list[tuple[str, str]]]:
    return sorted(sorted((name, repr(value)) for name, value in row.items()) for row in rows)
