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
from warehouse.reconcile import Evidence, Limits, Part, Refusal, find_refusal
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
    """How many rows were marked, by public table; why others were not; the tables compared."""

    marked: Counter[str] = field(default_factory=Counter)
    refusals: list[Refusal] = field(default_factory=list)
    compared: set[str] = field(default_factory=set)
    error: SourceError | None = None  # of the poll


@dataclass
class Settling:
    """Everything that settling takes. `load_more` reads and loads lists once more."""

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
        self._note_changes(recents, result)
        for table in self._tables():
            lists = self._lists(table)
            if len(lists) == len(table.raw) and all(reading.is_whole_list for reading in lists):
                self._reconcile(table, lists, recents, result)
                continue
            if recents:
                self._take_uncertain(table, recents, result)
            if table.name in self.plan.whole:
                self._tell_incomparable(table, lists)
        self._record_polls(recents, meter, result)
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
        polls = {t: poll.since for t, poll in self.plan.polls.items() if poll.since is not None}
        is_reachable = any(not reading.progress.error for reading in self.plan.readings)
        if not polls or not is_reachable:
            return None
        source = self.settings.source
        begin = max(min(polls.values()) - source.overlap, self.identity.server_time - LONGEST)
        try:
            return read_recents(self.client, polls, begin, source.page_size, meter)
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
        self.narrator.say(f"{names}: Pipedrive does not look back far enough: read whole")
        fresh = [reading.again() for reading in again]
        self.load_more(fresh)
        for old, new in zip(again, fresh, strict=True):
            new.progress.add(old.progress)
            self.plan.readings[self.plan.readings.index(old)] = new

    def _note_changes(self, recents: Recents | None, result: Settled) -> None:
        """What came back, what was deleted and merged, what was converted."""
        self.connection.execute("begin transaction")
        try:
            for table in self._tables():
                forget_returned(self.connection, table)
                if recents:
                    gone = recents.gone.get(table.name, ())
                    marks = [_mark(record) for record in gone if record.is_certain]
                    result.marked[table.name] += self._mark(table, marks, recents.asked)
            self.connection.execute("commit")
        except BaseException:
            self.connection.execute("rollback")
            raise
        result.marked.update(mark_conversions(self.connection, run_id=self.ledger.run_id))

    def _record_polls(self, recents: Recents | None, meter: Meter, result: Settled) -> None:
        """Up to when changes are known. A gap stays open until a whole list has closed it."""
        for name, poll in self.plan.polls.items():
            if poll.is_first:
                continue  # noted before the load
            has_gap = poll.has_gap or (recents is not None and recents.has_gap)
            is_known = (recents is not None or poll.since is None) and (
                not has_gap or name in result.compared
            )
            self.ledger.step(
                "recents",
                entity=name,
                started_time=self.ledger.started_time,
                requests=meter.requests,
                tokens=meter.tokens,
                rows_deleted=result.marked[name],
                watermark=self.identity.server_time if is_known else None,
                error=result.error.message if result.error else None,
            )
            meter = Meter()  # one poll for all tables: counted once

    def _reconcile(
        self, table: PublicTable, lists: list[Reading], recents: Recents | None, result: Settled
    ) -> None:
        """Compare whole lists with the live rows, and mark what is absent if it can be believed."""
        start = self.settings.source.start_date
        absent = self._absent(table, lists)
        if any(absent.values()):
            self._look_again(lists, absent)
            absent = self._absent(table, lists)
        live = live_rows(self.connection, table, start)
        listed = count_ids([ids for reading in lists for ids in reading.listed])
        ids = [id_ for found in absent.values() for id_ in found]
        evidence = Evidence(
            table.name,
            listed,
            sum(live.values()),
            len(ids),
            tuple(Part(raw, live[raw], len(absent[raw])) for raw in table.raw),
            next((r.endpoint.entity for r in lists if _is_empty(r, live)), None),
            next((reading.doubt for reading in lists if reading.doubt), None),
            self._rights(table),
        )
        refusal = find_refusal(evidence, self._limits(), is_accepted=self.is_accepted)
        marked = 0
        if refusal:
            result.refusals.append(refusal)
        else:
            result.compared.add(table.name)
            known = _uncertain(recents, table)
            marks = [
                _mark(known[id_], "absent") if id_ in known else Mark(id_, "absent") for id_ in ids
            ]
            marked = self._mark(table, marks, datetime.now(UTC))
        result.marked[table.name] += marked
        self._record_reconcile(
            table, listed, evidence.live - marked, marked, refusal.text if refusal else None
        )

    def _absent(self, table: PublicTable, lists: list[Reading]) -> dict[str, list[str]]:
        listed = [ids for reading in lists for ids in reading.listed]
        return find_absent(self.connection, table, listed, self.settings.source.start_date)

    def _look_again(self, lists: list[Reading], absent: dict[str, list[str]]) -> None:
        """Read lists a second time that cannot be taken at their word.

        One that was empty; and the open list of two, as a record may have moved there meanwhile.
        """
        for reading in lists:
            is_empty = not count_ids(reading.listed) and bool(absent[reading.endpoint.entity])
            if is_empty or (len(lists) > 1 and reading is lists[0]):
                again = reading.again()
                self.load_more([again])
                reading.progress.add(again.progress)
                reading.listed += again.listed
                is_sound = again.is_whole_list and not again.doubt
                reading.doubt = reading.doubt or (None if is_sound else "a second look failed")

    def _record_reconcile(
        self, table: PublicTable, listed: int, live: int, marked: int, error: str | None
    ) -> None:
        self.ledger.step(
            "reconcile",
            entity=table.name,
            started_time=self.ledger.started_time,
            rows_listed=listed,
            rows_live=live,
            rows_deleted=marked,
            watermark=self.identity.server_time,
            note=None if live == listed else _difference(listed, live),
            error=error,
        )

    def _tell_incomparable(self, table: PublicTable, lists: list[Reading]) -> None:
        """Why lists that were read whole say nothing of what is gone, where no error told it."""
        if any(reading.progress.error for reading in lists):
            return
        if any(reading.is_pieced for reading in lists):
            self.narrator.say(
                f"{table.name}: the first load took more than one run; the next whole list tells "
                "what it has missed"
            )
            return
        missing = set(table.raw) - {r.endpoint.entity for r in lists if r.is_whole_list}
        reason = (
            f"{table.name} are not compared with Pipedrive's lists: {', '.join(sorted(missing))} "
            "are not loaded, and may have what the others lack."
        )
        self.narrator.say(reason)
        listed = count_ids([ids for reading in lists for ids in reading.listed])
        live = sum(live_rows(self.connection, table).values())
        self._record_reconcile(table, listed, live, 0, reason)

    def _take_uncertain(self, table: PublicTable, recents: Recents, result: Settled) -> None:
        """Records that the poll has without their data, unless a list has them."""
        uncertain = _uncertain(recents, table)
        if not uncertain:
            return
        absent = self._absent(table, self._lists(table))
        found = [id_ for ids in absent.values() for id_ in ids if id_ in uncertain]
        try:
            seen = {id_ for reading in self._lists(table) for id_ in reading.look_up(found)}
        except SourceError as error:
            self.narrator.say(f"{table.name}: {error.message} The next reconcile tells.")
            return
        found = [id_ for id_ in found if id_ not in seen]
        evidence = Evidence(
            table.name,
            listed=0,
            live=sum(live_rows(self.connection, table).values()),
            absent=len(found),
            rights=self._rights(table),
        )
        refusal = find_refusal(evidence, self._limits(), is_accepted=self.is_accepted)
        if refusal:
            result.refusals.append(refusal)
            return
        marks = [_mark(uncertain[id_], "absent") for id_ in found]
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


def _uncertain(recents: Recents | None, table: PublicTable) -> dict[str, Gone]:
    gone = recents.gone.get(table.name, ()) if recents else ()
    return {str(record.id): record for record in gone if not record.is_certain}


def _is_empty(reading: Reading, live: dict[str, int]) -> bool:
    return not count_ids(reading.listed) and bool(live[reading.endpoint.entity])


def _difference(listed: int, live: int) -> str:
    rows = abs(live - listed)
    verb = "is" if rows == 1 else "are"
    return f"{listed:,} listed, {live:,} live here: {rows:,} {verb} " + (
        "not in the list" if live > listed else "gone that the list had"
    )
