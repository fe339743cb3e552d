"""`python -m benchmarks.costs`: tokens of a quiet run, a day of quarter-hourly runs, a reconcile.

The account: 35,000 persons, 8,000 organizations, 5,000 leads of which 3,000 are archived, and 4,000
deals. In each quarter of an hour some records change. Tokens do not depend on the machine, so
everything is in one process.
"""

from __future__ import annotations

import tempfile

import duckdb

from pipelines.config import Settings, load_settings
from pipelines.narration import Narrator
from pipelines.outcome import RunResult
from pipelines.readings import Scope
from pipelines.run import run
from sources.sandbox import Sandbox

QUARTER = 900
RUNS = 96


def main() -> None:
    """Print the figures."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Sandbox(
            persons=35_000,
            organizations=8_000,
            leads=2_000,
            archived_leads=3_000,
            deals=4_000,
            archived_deals=0,
        ) as box,
    ):
        settings = load_settings(
            environment={
                "SOURCES__PIPEDRIVE__BASE_URL": box.url,
                "SOURCES__PIPEDRIVE__API_TOKEN": box.token,
                "WAREHOUSE__PATH": f"{folder}/warehouse.duckdb",
                "WAREHOUSE__PUBLISH": f"{folder}/pipedrive.duckdb",
            }
        )
        _tell("first load", _run(settings))
        box.account.advance(QUARTER)
        _tell("quiet run", _run(settings))
        requests = tokens = 0
        for quarter in range(RUNS):
            _change(box, quarter)
            _age(settings, QUARTER)
            result = _run(settings)
            requests, tokens = requests + result.requests, tokens + result.tokens
        print(f"{'a day of ' + str(RUNS) + ' runs':<24} {requests:>6,} {tokens:>8,}")
        _tell("reconcile", _run(settings, Scope(is_whole=True, command="reconcile")))
        by_entity = _rows(
            settings,
            "select coalesce(entity, step), sum(requests)::bigint, sum(tokens)::bigint "
            "from ops.steps where run_id = (select max(run_id) from ops.runs) and tokens > 0 "
            "group by all order by 3 desc, 1",
        )
        for entity, entity_requests, entity_tokens in by_entity:
            print(f"  {entity:<22} {entity_requests:>6,} {entity_tokens:>8,}")


def _run(settings: Settings, scope: Scope | None = None) -> RunResult:
    class Silent(Narrator):
        def say(self, text: str) -> None:
            """Nothing."""

    with Silent() as narrator:
        return run(settings, narrator, scope or Scope())


def _change(box: Sandbox, quarter: int) -> None:
    """A quarter of an hour in the life of the account."""
    account, until = box.account, box.account.now.timestamp() + QUARTER
    leads = [lead.id for lead in account.visible("lead") if not lead.is_archived]
    account.edit("person", 100 + quarter, 200 + quarter, name="Changed")
    account.edit("organization", 100 + quarter, name="Changed")
    account.edit("lead", leads[quarter], title="Changed")
    account.archive_lead(leads[-1])
    account.create("lead", title="New", person_id=5)
    account.convert_lead(leads[-2])
    if quarter == RUNS // 2:
        account.delete("person", 7)
        account.delete("lead", leads[-3])
    account.advance(until - account.now.timestamp())


def _age(settings: Settings, seconds: int) -> None:
    """Set the ledger back, as if its runs were that much longer ago by our clock."""
    with duckdb.connect(str(settings.warehouse.path)) as connection:
        connection.execute(
            f"update ops.steps set started_time = started_time - interval {seconds} second"
        )


def _rows(settings: Settings, sql: str) -> list[tuple[str, int, int]]:
    with duckdb.connect(str(settings.warehouse.path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def _tell(name: str, result: RunResult) -> None:
    print(f"{name:<24} {result.requests:>6,} {result.tokens:>8,}")


if __name__ == "__main__":
    print(f"{'':<24} {'requests':>6} {'tokens':>8}")
    main()
