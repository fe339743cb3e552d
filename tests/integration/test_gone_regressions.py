"""Mistakes that random lives of an account once found, each as plain as it could be made."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from projects import Project

from sources.sandbox import Sandbox

Make = Callable[[Sandbox], Project]


@pytest.mark.parametrize("api", ["v2", "collection"])
def test_a_label_that_was_renamed_is_published_though_no_record_changed(
    project_of: Make, api: str
) -> None:
    with Sandbox(persons=2, organizations=2, leads=0, archived_leads=0) as box:
        project = project_of(box)
        project.run(api=api)
        label = (box.account.field("organization", "label_ids").options or [])[0]
        box.account.rename_option("organization", "label_ids", int(label.id), "Renamed")
        assert project.run(api=api).is_published
        found = project.rows(
            "select label from custom_field_options where entity = 'organizations' "
            f"and key = 'label_ids' and option_id = '{label.id}'",
            published=True,
        )
        assert found == [("Renamed",)]
        assert not project.run(api=api).is_published


def test_definitions_that_fill_their_last_page_are_read_to_their_end(project_of: Make) -> None:
    with Sandbox(persons=2, organizations=0, leads=0, archived_leads=0) as box:
        project = project_of(box)
        fields = box.account.fields["person"]
        size = next(n for n in range(2, 60) if len(fields) % n == 0)
        result = project.run(api="v2", page_size=str(size), resources=("persons",))
        assert result.exit_code == 0, result.error
        assert project.value("select count(*) from raw.person_fields") == len(fields)


def test_a_deal_that_is_back_is_not_gone_again_when_its_lead_is_edited(project_of: Make) -> None:
    with Sandbox(persons=2, organizations=2, leads=0, archived_leads=0, deals=2) as box:
        project = project_of(box)
        project.run()
        lead = box.account.convert_deal_to_lead(1)
        project.run()
        box.account.restore("deal", 1)
        project.run()
        box.account.edit("lead", lead, title="Edited")
        project.run()
        assert project.rows("select is_deleted from deals where id = 1", published=True) == [
            (False,)
        ]


def test_a_person_restored_and_deleted_between_two_runs_has_the_later_time(
    project_of: Make,
) -> None:
    with Sandbox(persons=3, organizations=0, leads=0, archived_leads=0) as box:
        account, project = box.account, project_of(box)
        project.run()
        account.merge("person", 1, 2)
        project.run()
        account.restore("person", 1)
        account.delete("person", 1)
        project.run()
        found = project.rows("select * from ops.tombstones where id = '1'")
        assert len(found) == 1
        row = project.records("persons")[1]
        assert row["deleted_time"] == account.persons[1].delete_time
        assert row["merged_into_id"] is None
