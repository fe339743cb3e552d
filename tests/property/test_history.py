"""What a history says a lead was at any time is what it was."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from history_story import Story, at, iso
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.history import capture
from transforms.models import load_models, read_sql


@dataclass
class Truth:
    """A lead as it is, and what is known of its past: (since, title, status)."""

    record: dict[str, Any]
    is_archived: bool = False
    is_gone: bool = False
    known: list[tuple[datetime, str, str]] = field(default_factory=list)

    def note(self, since: datetime) -> None:
        status = "deleted" if self.is_gone else "archived" if self.is_archived else "open"
        if not self.known or self.known[-1][1:] != (self.record["title"], status):
            self.known.append((since, self.record["title"], status))


EVENTS = st.sampled_from(
    ("edit", "touch", "archive", "unarchive", "unarchive quietly", "delete", "restore", "nothing")
)


@settings(max_examples=8)
@given(
    st.lists(st.tuples(EVENTS, st.integers(0, 2)), max_size=10),
    st.lists(st.floats(-1, 20), min_size=5, max_size=5),
)
def test_what_a_lead_was_at_any_time_is_what_it_was(
    events: list[tuple[str, int]], asked: list[float]
) -> None:
    story = Story("leads")
    story.connection.execute(read_sql("macros.sql"))
    models = load_models()
    truths = [
        Truth({"id": str(n), "title": "t0", "add_time": iso(at(0)), "update_time": iso(at(0))})
        for n in range(3)
    ]
    for truth in truths:
        story.deliver("leads", truth.record, "v1")
        truth.note(at(0))
    capture(story.connection, "leads", models, now=at(0), full=False)
    for hour, (event, n) in enumerate(events, start=1):
        _happen(story, truths[n], event, hour)
        story.now = at(hour) + timedelta(minutes=30)
        capture(story.connection, "leads", models, now=story.now, full=False)
    story.run(24)

    for hours in asked:
        moment = at(0) + timedelta(hours=hours)
        found = story.connection.execute(
            "select id, title, status from crm.lead_history where valid_from <= $t"
            " and (valid_to is null or valid_to > $t) order by id",
            {"t": moment},
        ).fetchall()
        assert found == [
            (truth.record["id"], *past[-1][1:])
            for truth in truths
            if (past := [known for known in truth.known if known[0] <= moment])
        ]
    current = "select * exclude (version, valid_from, valid_to, is_current, changed_columns)"
    assert story.rows(f"{current} from crm.lead_history where is_current order by id") == (
        story.rows("select * from crm.leads order by id")
    )
    assert story.one("select count(*) from crm.lead_history") == sum(len(t.known) for t in truths)


def _happen(story: Story, truth: Truth, event: str, hour: int) -> None:
    """Let something happen on the hour, and a load see it a quarter later."""
    record, moment, seen = truth.record, at(hour), at(hour) + timedelta(minutes=15)
    story.now = moment
    since = moment
    if truth.is_gone:
        if event != "restore":
            return
        truth.is_gone = False
        story.back(record["id"])
        since = seen  # no time of the record speaks of it
    elif event == "edit":
        record |= {"title": f"t{hour}", "update_time": iso(moment)}
    elif event == "touch":
        record["update_time"] = iso(moment)
    elif event == "archive" and not truth.is_archived:
        truth.is_archived = True
        record["archive_time"] = iso(moment)
    elif event.startswith("unarchive") and truth.is_archived:
        truth.is_archived = False
        record["archive_time"] = None
        if event == "unarchive":
            record["update_time"] = iso(moment)
        else:
            since = seen
    elif event == "delete":
        truth.is_gone = True
        story.gone("leads", record["id"])
        truth.note(since)
        return
    else:
        return
    story.now = seen
    table = "archived_leads" if truth.is_archived else "leads"
    story.deliver(table, json.loads(json.dumps(record)), "v1")
    truth.note(since)
