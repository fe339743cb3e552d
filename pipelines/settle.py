"""After the lists are loaded: what is gone, and what came back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import duckdb

from sources.pipedrive.client import Client, Meter
from sources.pipedrive.endpoints import TABLES
from sources.pipedrive.errors import Forbidden, NotServed, SourceError
from sources.pipedrive.identity import Identity
from sources.pipedrive.reading import Reading
from sources.pipedrive.recents import LONGEST, Gone, Recents, read_recents
from transforms.conversions import mark_conversions
from transforms.raw import create_missing_sql
from warehouse.ledger import Ledger, last_lister
from warehouse.reconcile import Evidence, Limits, find_refusal
from warehouse.tombstones import (
    Mark,
    PublicTable,
    Reason,
    count_ids,
    find_absent,
    forget_returned,
    live_rows,
    mark,
)

from .config import Settings
from .narration import Narrator
from .readings import Plan


@dataclass
class Settled:
    """How many rows were marked, by public table; why others were not."""

    marked: Counter[str] = field(default_factory=Counter)
    refusals: list[str] = field(default_factory=list)
    error: SourceError | None = None  # of the poll


@dataclass
class Settling:
    """Everything that settling takes. `load_more` reads and loads a list once more."""

    connection: duckdb.DuckDBPyConnection
    client: Client
    identity: Identity
    ledger: Ledger
    settings: Settings
    narrator: Narrator
    plan: Plan
    load_more: Callable[[Sequence[Reading]], None]
    is_accepted: bool = False

    def settle(self) -> Settled:
        """Mark what the recent changes and the whole lists say is gone, unmark what came back."""
        result = Settled()
        meter = Meter()
        recents = self._poll(meter, result)
        if recents and recents.has_gap:
            self._list_whole(recents)
        self.connection.execute(create_missing_sql())
        self._note_changes(recents, meter, result)
        result.marked.update(mark_conversions(self.connection, run_id=self.ledger.run_id))
        for table in self._tables():
            lists = self._lists(table)
            if len(lists) == len(table.raw) and all(reading.is_whole_list for reading in lists):
                self._reconcile(table, lists, result)
            elif recents:
                self._take_uncertain(table, recents, result)
        for table in self._tables():
            live = live_rows(self.connection, table)
            for reading in self._lists(table):
                reading.progress.rows_live = live[reading.endpoint.entity]
            self._lists(table)[0].progress.rows_deleted = result.marked[table.name]
        return result

    def _tables(self) -> Iterator[PublicTable]:
        """The public tables this run has read anything of."""
        for name, raw in TABLES.items():
            if any(reading.endpoint.table == name for reading in self.plan.readings):
                yield PublicTable(name, raw)

    def _lists(self, table: PublicTable) -> list[Reading]:
        return [r for r in self.plan.readings if r.endpoint.table == table.name]

    def _poll(self, meter: Meter, result: Settled) -> Recents | None:
        """The recent changes since the last poll; None where there is none to ask for."""
        since = [moment for moment in self.plan.polls.values() if moment is not None]
        tables = [table for table, moment in self.plan.polls.items() if moment is not None]
        is_reachable = any(not reading.progress.error for reading in self.plan.readings)
        if not since or not is_reachable:
            return None
        source = self.settings.source
        try:
            begin = max(min(since) - source.overlap, self.identity.server_time - LONGEST)
            return read_recents(self.client, tables, begin, source.page_size, meter)
        except (NotServed, Forbidden) as error:
            self.narrator.say(f"deletions are found by reconcile alone: {error.message}")
        except SourceError as error:
            self.narrator.say(f"recents: {error.message}")
            result.error = error
        return None

    def _list_whole(self, recents: Recents) -> None:
        """Read the lists whole that were not, because the poll does not reach back far enough."""
        again = [
            reading
            for reading in self.plan.readings
            if reading.endpoint.table in recents.gone and not reading.is_whole_list
        ]
        if not again:
            return
        names = ", ".join(reading.endpoint.entity for reading in again)
        self.narrator.say(f"{names}: Pipedrive looks back one month: the whole list is read")
        fresh = [reading.again() for reading in again]
        self.load_more(fresh)
        for old, new in zip(again, fresh, strict=True):
            new.progress.add(old.progress)
            self.plan.readings[self.plan.readings.index(old)] = new

    def _note_changes(self, recents: Recents | None, meter: Meter, result: Settled) -> None:
        """What came back, what was deleted, merged and converted, and up to when it was asked."""
        self.connection.execute("begin transaction")
        try:
            for table in self._tables():
                forget_returned(self.connection, table)
                if recents:
                    gone = recents.gone.get(table.name, ())
                    marks = [_mark(record) for record in gone if record.is_certain]
                    result.marked[table.name] += self._mark(table, marks, recents.asked)
            self._record_polls(recents, meter, result)
            self.connection.execute("commit")
        except BaseException:
            self.connection.execute("rollback")
            raise

    def _record_polls(self, recents: Recents | None, meter: Meter, result: Settled) -> None:
        for name, moment in self.plan.polls.items():
            is_polled = recents is not None or moment is None  # the first run: nothing to ask yet
            self.ledger.step(
                "recents",
                entity=name,
                started_time=self.ledger.started_time,
                requests=meter.requests,
                tokens=meter.tokens,
                rows_deleted=result.marked[name],
                watermark=self.identity.server_time if is_polled else None,
                error=result.error.message if result.error else None,
            )
            meter = Meter()  # one poll for all tables: counted once

    def _reconcile(self, table: PublicTable, lists: list[Reading], result: Settled) -> None:
        """Compare whole lists with the live rows, and mark what is absent if it can be believed."""
        start = self.settings.source.start_date
        listed = [ids for reading in lists for ids in reading.listed]
        doubts = [reading.doubt for reading in lists if reading.doubt]
        absent = find_absent(self.connection, table, listed, start)
        if absent and len(lists) > 1:  # it may have moved to the first list behind our back
            again = lists[0].again()
            self.load_more([again])
            lists[0].progress.add(again.progress)
            listed += again.listed
            if not again.is_whole_list:
                doubts.append("a second look failed")
            absent = find_absent(self.connection, table, listed, start)
        by_list = live_rows(self.connection, table)
        live = sum(by_list.values())
        empty = [r.endpoint.entity for r in lists if not count_ids(r.listed)]
        evidence = Evidence(
            table.name,
            count_ids(listed),
            live,
            len(absent),
            next((name for name in empty if by_list[name]), None),
            doubts[0] if doubts else None,
            self._rights(table),
        )
        refusal = find_refusal(evidence, self._limits(), is_accepted=self.is_accepted)
        marked = 0
        if refusal:
            result.refusals.append(refusal)
            self.narrator.say(refusal)
        else:
            marked = self._mark(table, [Mark(id_, "absent") for id_ in absent], datetime.now(UTC))
        result.marked[table.name] += marked
        live -= marked
        self.ledger.step(
            "reconcile",
            entity=table.name,
            started_time=self.ledger.started_time,
            rows_listed=evidence.listed,
            rows_live=live,
            rows_deleted=marked,
            watermark=self.identity.server_time,
            note=None if live == evidence.listed else _difference(evidence.listed, live),
            error=refusal,
        )

    def _take_uncertain(self, table: PublicTable, recents: Recents, result: Settled) -> None:
        """Records that the poll has without their data, unless a list of this run had them."""
        uncertain = {
            str(gone.id): gone for gone in recents.gone.get(table.name, ()) if not gone.is_certain
        }
        listed = [ids for reading in self._lists(table) for ids in reading.listed]
        live = find_absent(self.connection, table, listed) if uncertain else []
        found = [uncertain[id_] for id_ in live if id_ in uncertain]
        evidence = Evidence(
            table.name,
            listed=len(uncertain),
            live=sum(live_rows(self.connection, table).values()),
            absent=len(found),
            rights=self._rights(table),
        )
        if refusal := find_refusal(evidence, self._limits(), is_accepted=self.is_accepted):
            self.narrator.say(f"{refusal} The next reconcile tells.")
            return
        marks = [_mark(gone, otherwise="absent") for gone in found]
        result.marked[table.name] += self._mark(table, marks, recents.asked)

    def _mark(self, table: PublicTable, marks: Sequence[Mark], moment: datetime) -> int:
        return mark(self.connection, table, marks, marked_time=moment, run_id=self.ledger.run_id)

    def _limits(self) -> Limits:
        return Limits(self.settings.reconcile.max_share, self.settings.reconcile.max_rows)

    def _rights(self, table: PublicTable) -> str | None:
        """How the token's user differs from the one who listed the table last."""
        last = last_lister(self.connection, table.name)
        now = self.identity
        if last is None:
            return None
        if last.user_id != now.user_id:
            return (
                f"the token's user is {now.user_name or now.user_id} now and was "
                f"{last.user_name or last.user_id} before"
            )
        if last.is_admin != now.is_admin:
            return f"{now.user_name} is {'an admin now' if now.is_admin else 'no admin any more'}"
        return None


def _mark(gone: Gone, otherwise: Reason = "deleted") -> Mark:
    reason = otherwise if gone.merged_into_id is None else "merged"
    return Mark(gone.id, reason, gone.deleted_time, gone.merged_into_id)


def _difference(listed: int, live: int) -> str:
    return f"{listed:,} listed, {live:,} live here: {abs(live - listed):,} " + (
        "are not in the list" if live > listed else "were deleted while the list was read"
    )
