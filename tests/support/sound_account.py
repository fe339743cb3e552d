"""A working file with a record of everything, all of it sound, for the tests of data checks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from raw_account import KEY, NOW, Account, v2_field

from transforms.checks import CheckResult, run_checks

FIELDS = ("person_fields", "organization_fields", "deal_fields", "lead_fields")


def write_sound_account(path: Path) -> None:
    """Load it into a new file and transform it."""
    account = Account(path)
    times = {"add_time": "2026-05-01T00:00:00Z", "update_time": "2026-06-01T00:00:00Z"}
    for table in FIELDS:
        account.listing(table, v2_field(KEY, "Budget", "enum", options=[{"id": 1, "label": "a"}]))
    account.listing("users", {"id": 5, "name": "Una"})
    account.listing("lead_labels", {"id": "l1", "name": "Hot"})
    account.listing("lead_sources", {"name": "Chat"})
    account.listing("currencies", {"id": 1, "code": "EUR"})
    account.listing("pipelines", {"id": 1, "name": "Sales"})
    account.listing("stages", {"id": 1, "name": "New", "pipeline_id": 1})
    account.records("organizations", {"id": 3, "name": "Acme", "owner_id": 5, **times})
    contacts = [{"value": "a@x.com"}, {"value": "b@x.com"}]
    person = {"id": 2, "name": "Pat", "owner_id": 5, "org_id": 3, "emails": contacts, **times}
    merged = {"id": 1, "is_deleted": True, "merge_what_id": 2, "owner_id": 99, **times}
    account.records("persons", person, merged)
    links = {"owner_id": 5, "person_id": 2, **times}
    account.records("leads", {"id": "a", "organization_id": 3, **links}, api="v1")
    account.records("archived_leads", {"id": "b", **links}, api="v1")
    account.records(
        "deals",
        {"id": 7, "status": "won", "org_id": 3, "pipeline_id": 1, "stage_id": 1, **links},
        {"id": 8, "status": "open", "is_deleted": True, "stage_id": 99, **links},
    )
    account.transform()
    account.connection.close()


def check_all(
    account: Account, *, run_id: str = "run", share: float = 0.5
) -> dict[str, CheckResult]:
    """The result of every check, by name."""
    results = run_checks(account.connection, run_id=run_id, now=NOW, max_rejected_share=share)
    return {result.name: result for result in results}


def failed(account: Account, share: float = 0.5) -> dict[str, list[dict[str, Any]]]:
    """The failing rows of every check that failed."""
    results = check_all(account, share=share)
    return {n: [dict(row) for row in r.sample] for n, r in results.items() if r.is_failed}
