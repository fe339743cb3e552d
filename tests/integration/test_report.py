"""`pipeduck report`: its numbers are the account's, and it is one file that stands by itself."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner
from projects import Project
from report_account import live_on

from pipelines.cli import main
from pipelines.html_report.facts import Facts, Group, read_facts
from pipelines.html_report.page import render
from pipelines.html_report.write import write_report
from sources.sandbox import Account, Sandbox
from warehouse.errors import WarehouseUnusable


@dataclass(frozen=True)
class Known:
    """A project after three runs, what the report says of it, and the account itself."""

    project: Project
    facts: Facts
    account: Account
    leads: dict[str, Any]
    results: tuple[Any, ...]

    @property
    def file(self) -> Path:
        return self.project.folder / "pipedrive.duckdb"

    def status(self, lead: Any) -> str:
        if lead.id in self.account.leads:
            return "archived" if lead.is_archived else "open"
        return "converted" if lead.converted_deal_id else "deleted"

    def grouped(self, names: Any) -> dict[Any, Counter[str]]:
        """Statuses of the leads by each of the names that `names` gives for a lead."""
        found: dict[Any, Counter[str]] = {}
        for lead in self.leads.values():
            for name in names(lead):
                found.setdefault(name, Counter())[self.status(lead)] += 1
        return found

    def days(self, status: str) -> list[float]:
        """How long leads of that status lived."""
        leads = [lead for lead in self.leads.values() if self.status(lead) == status]
        end = {"open": "", "archived": "archive_time", "converted": "delete_time"}[status]
        return [
            ((getattr(lead, end) if end else self.facts.account.as_of) - lead.add_time)
            / timedelta(days=1)
            for lead in leads
        ]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Known]:
    with Sandbox(persons=12, organizations=6, leads=40, archived_leads=15, deals=4) as box:
        project = Project(tmp_path_factory.mktemp("report"), box)
        results = [project.run()]
        leads = {lead.id: lead for lead in box.account.visible("lead")}
        for seed in (1, 2):
            live_on(box.account, days=20, leads=5, seed=seed)
            if seed == 2:
                box.account.delete("lead", next(iter(box.account.leads)))
            results.append(project.run())
            leads |= {lead.id: lead for lead in box.account.visible("lead")}
        facts = read_facts(project.folder / "pipedrive.duckdb")
        yield Known(project, facts, box.account, leads, tuple(results))


@pytest.fixture
def copy(known: Known, tmp_path: Path) -> Path:
    """A copy of the published file, to be changed."""
    return Path(shutil.copy(known.file, tmp_path / "pipedrive.duckdb"))


def statuses(groups: tuple[Group, ...]) -> dict[Any, Counter[str]]:
    return {
        group.name: +Counter(
            open=group.open_leads,
            converted=group.converted,
            archived=group.archived,
            deleted=group.deleted,
        )
        for group in groups
    }


def test_the_account_of_the_test_has_everything_to_tell_of(known: Known) -> None:
    found = Counter(map(known.status, known.leads.values()))
    assert min(found[status] for status in ("open", "archived", "converted")) > 3
    assert found["deleted"] == 1
    assert known.facts.funnel.never_loaded > 0
    assert known.facts.funnel.won > 0


def test_leads_by_week_and_status_are_the_accounts(known: Known) -> None:
    now = known.account.now
    this_week = (now - timedelta(days=now.weekday())).date()
    weeks = [this_week - timedelta(weeks=back) for back in range(25, -1, -1)]
    expected = known.grouped(
        lambda lead: [(lead.add_time - timedelta(days=lead.add_time.weekday())).date()]
    )
    assert [row.week for row in known.facts.weeks] == weeks
    for row in known.facts.weeks:
        told = +Counter(
            open=row.open_leads,
            converted=row.converted,
            archived=row.archived,
            deleted=row.deleted,
        )
        assert told == expected.get(row.week, Counter()), row.week


def test_leads_by_source_label_and_owner_are_the_accounts(known: Known) -> None:
    labels = {label.id: label.name for label in known.account.lead_labels}
    owners = {user.id: user.name for user in known.account.users}
    facts = known.facts
    assert statuses(facts.sources) == known.grouped(lambda lead: [lead.source_name])
    assert statuses(facts.owners) == known.grouped(lambda lead: [owners[lead.owner_id]])
    assert statuses(facts.labels) == known.grouped(
        lambda lead: [labels[label] for label in lead.label_ids] or [None]
    )
    sizes = [sum(counts.values()) for counts in statuses(facts.labels).values()]
    assert sizes == sorted(sizes, reverse=True)


def test_the_headline_is_the_accounts(known: Known) -> None:
    headline, now = known.facts.headline, known.account.now
    monday = (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0)
    month = now.replace(day=1, hour=0, minute=0, second=0)
    every = {**known.account.leads, **known.account.removed_leads}.values()
    ends = [lead.delete_time for lead in every if lead.converted_deal_id]
    opened = [lead for lead in known.leads.values() if known.status(lead) == "open"]
    assert headline.leads == len(known.leads)
    assert headline.open_leads == len(opened)
    assert headline.unseen == sum(not lead.was_seen for lead in opened)
    created = [lead.add_time for lead in known.leads.values()]
    week = timedelta(days=7)
    assert headline.new_this_week == sum(time >= monday for time in created) > 0
    assert headline.new_last_week == sum(monday - week <= time < monday for time in created) > 0
    assert headline.converted_this_month == sum(time >= month for time in ends) > 0
    before = (month - timedelta(days=1)).replace(day=1)
    assert headline.converted_last_month == sum(before <= time < month for time in ends) > 0


def test_amounts_of_open_leads_stand_apart_by_currency(known: Known) -> None:
    expected: dict[str | None, tuple[int, Decimal | None]] = {}
    for lead in known.leads.values():
        if known.status(lead) == "open":
            code = lead.value.currency if lead.value else None
            leads, total = expected.get(code, (0, Decimal(0) if lead.value else None))
            added = total + lead.value.value if lead.value and total is not None else None
            expected[code] = leads + 1, added
    assert len(expected) > 2
    assert {row.currency: (row.leads, row.value) for row in known.facts.open_value} == expected


def test_ages_and_times_to_an_end_are_the_accounts(known: Known) -> None:
    facts = known.facts
    assert facts.account.as_of == known.account.now.replace(microsecond=0)
    assert sum(age.leads for age in facts.ages) == len(known.days("open"))
    assert facts.ages[0].leads == sum(days < 7 for days in known.days("open"))
    assert facts.ages[-1].leads == sum(days >= 730 for days in known.days("open"))
    assert facts.ages[0].median_days == pytest.approx(median(known.days("open")))
    borders = (0, 1, 7, 28, 91, 182, 365, 10**9)
    for i, row in enumerate(facts.durations):
        since, until = borders[i : i + 2]
        assert row.archived == sum(since <= days < until for days in known.days("archived"))
        assert row.converted == sum(since <= days < until for days in known.days("converted"))
    first = facts.durations[0]
    assert first.archived_median == pytest.approx(median(known.days("archived")))
    assert first.converted_median == pytest.approx(median(known.days("converted")))
    assert first.impossible == 0


def test_the_way_from_lead_to_deal_to_won_is_the_accounts(known: Known) -> None:
    funnel = known.facts.funnel
    made = [deal for deal in known.account.deals.values() if deal.source_lead_id]
    assert funnel.deals == len(known.account.deals)
    assert funnel.leads == len(known.leads.keys() | {deal.source_lead_id for deal in made})
    assert funnel.never_loaded == len({deal.source_lead_id for deal in made} - known.leads.keys())
    assert funnel.converted == len(made)
    told = {"won": funnel.won, "lost": funnel.lost, "open": funnel.open_deals}
    assert +Counter(told) == Counter(deal.status for deal in made)


def test_a_deal_that_was_merged_counts_as_the_one_it_was_merged_into(copy: Path) -> None:
    before = read_facts(copy).funnel
    with duckdb.connect(str(copy)) as connection:
        connection.execute(
            """
            update deals set status = 'deleted', is_deleted = true,
                merged_into_id = (select min(id) from deals where status = 'lost')
            where id = (
                select min(id) from deals where status = 'won' and source_lead_id is not null
            )
            """
        )
    after = read_facts(copy).funnel
    assert (after.converted, after.won, after.lost) == (
        before.converted,
        before.won - 1,
        before.lost + 1,
    )


@pytest.mark.parametrize("entity", ["leads", "persons", "organizations", "deals"])
def test_the_filled_share_of_each_custom_field_is_the_accounts(known: Known, entity: str) -> None:
    owner: Any = "deal" if entity == "leads" else entity.removesuffix("s")
    records = known.account.visible(entity.removesuffix("s"))  # type: ignore[arg-type]
    expected = Counter(
        (field.name, sum(bool(_value(record, field.key)) for record in records), len(records))
        for field in known.account.custom_fields(owner)
    )
    told = [field for field in known.facts.filled if field.entity == entity]
    assert Counter((field.label, field.filled, field.records) for field in told) == expected


def _value(record: Any, key: str) -> bool:
    value = record.custom.get(key)
    return value is not None and value != []


def test_rows_and_tokens_are_those_of_the_runs(known: Known) -> None:
    assert [run.tokens for run in known.facts.runs] == [run.tokens for run in known.results]
    loaded = [sum(one.rows_new + one.rows_changed for one in run.progress) for run in known.results]
    assert [run.rows_loaded for run in known.facts.runs] == loaded
    leads = known.facts.entities[0]
    assert (leads.entity, leads.live) == ("leads", len(known.account.leads))
    assert leads.gone == len(known.leads) - len(known.account.leads)


def test_failing_checks_and_rejected_values_are_told(copy: Path) -> None:
    with duckdb.connect(str(copy)) as connection:
        connection.execute("update sync_checks set failing_rows = 3 where name = 'future_times'")
        connection.execute(
            "insert into rejected_values select 'leads', i::varchar, 'cf_visits', 'x', 'not a "
            "number' from range(1200) as numbers(i)"
        )
    page = render(read_facts(copy), datetime.now(UTC))
    checks = len(read_facts(copy).checks)
    assert f"1 of {checks} do not hold." in page
    assert "! warning" in page
    assert "1,200 values that Pipedrive sent" in page


def test_an_account_without_a_row_is_told_in_words(copy: Path) -> None:
    with duckdb.connect(str(copy)) as connection:
        for (table,) in connection.execute("select table_name from duckdb_tables()").fetchall():
            connection.execute(f"delete from {table}")
    page = render(read_facts(copy), datetime.now(UTC))
    for words in (
        "No leads are loaded.",
        "No deals are loaded. With deals among resources",
        "The account has no custom fields.",
        "No run is on record.",
        "No check was made yet.",
        "None: every value fits its column.",
    ):
        assert words in page


def test_a_hundred_thousand_leads_make_a_page_of_the_same_size(copy: Path) -> None:
    with duckdb.connect(str(copy)) as connection:
        connection.execute(
            """
            insert into leads by name
            select leads.* replace (
                leads.id || '-' || i as id,
                leads.add_time - to_minutes((i * 7)::int) as add_time,
                leads.owner_name || ' ' || i % 3000 as owner_name,
                ['label ' || i % 700] as labels
            )
            from leads cross join range(1, 800) as numbers(i)
            """
        )
    facts = read_facts(copy)
    assert facts.headline.leads > 100_000
    page = render(facts, datetime.now(UTC))
    assert len(page.encode()) < 300_000
    assert f"{facts.headline.leads:,}" in page
    assert "others" in page


def test_a_file_of_another_version_is_a_sentence(copy: Path) -> None:
    with duckdb.connect(str(copy)) as connection:
        connection.execute("drop table deals")
    with pytest.raises(WarehouseUnusable, match="lacks what the report is about"):
        read_facts(copy)


def test_the_command_writes_the_page_and_says_where(
    known: Known, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAREHOUSE__PUBLISH", str(known.file))
    monkeypatch.setenv("SOURCES__PIPEDRIVE__BASE_URL", known.project.box.url)
    target = tmp_path / "today.html"
    done = CliRunner().invoke(main, ["report", "-o", str(target)])
    assert done.exit_code == 0, done.output
    assert done.stdout == ""
    assert f"wrote {target}" in done.stderr
    assert target.read_text("utf-8").startswith("<!doctype html>")
    assert [file.name for file in tmp_path.iterdir()] == ["today.html"]
    printed = CliRunner().invoke(main, ["report", "-o", "-"])
    assert printed.stdout.startswith("<!doctype html>")
    assert printed.stdout.endswith("</html>\n")
    opened = CliRunner().invoke(main, ["report", "-o", "-", "--open"])
    assert opened.exit_code == 2


def test_nothing_published_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE__PUBLISH", str(tmp_path / "none.duckdb"))
    monkeypatch.setenv("SOURCES__PIPEDRIVE__BASE_URL", "http://127.0.0.1:9")
    done = CliRunner().invoke(main, ["report", "-o", str(tmp_path / "report.html")])
    assert done.exit_code == 2
    assert "There is no published file" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_report_that_cannot_be_written_leaves_the_one_from_before(
    known: Known, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "report.html"
    target.write_text("before")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipelines.html_report.write.replace_file", full)
    with pytest.raises(WarehouseUnusable, match="No space left"):
        write_report(known.project.settings(), target)
    assert target.read_text() == "before"
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
    with pytest.raises(WarehouseUnusable, match="folder"):
        write_report(known.project.settings(), tmp_path)
