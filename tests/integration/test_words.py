"""What a run says: what has changed, as much or as little as somebody wants to read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import CliRunner
from projects import Project

from pipelines.cli import main
from sources.sandbox import Sandbox

Make = Callable[[Sandbox], Project]


def test_a_run_ends_with_what_became_of_records(
    project_of: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    with Sandbox(persons=6, organizations=3, leads=8, archived_leads=2, deals=4) as box:
        project = project_of(box)
        project.run()
        account = box.account
        leads = [lead for lead in account.visible("lead") if not lead.is_archived]
        account.advance(60)
        for lead in leads[:3]:
            account.archive_lead(lead.id)
        account.convert_lead(leads[3].id)
        account.delete("person", 1)
        capsys.readouterr()
        project.run()
        said = capsys.readouterr().err
        assert "3 leads archived, 1 lead converted, 1 person deleted" in said
        account.unarchive_lead(leads[0].id)
        account.restore("person", 1)
        project.run()
        assert "1 lead unarchived, 1 person restored" in capsys.readouterr().err
        project.run()
        said = capsys.readouterr().err
        assert not [word for word in ("archived,", "unarchived", "restored") if word in said]


@pytest.mark.parametrize(
    ("option", "has_list", "has_requests"),
    [((), True, False), (("--quiet",), False, False), (("-v",), True, True)],
)
def test_quiet_says_what_is_wrong_alone_and_verbose_every_request(
    project_of: Make, option: tuple[str, ...], has_list: bool, has_requests: bool
) -> None:
    with Sandbox(persons=3) as box:
        project = project_of(box)
        box.fault("*/persons", "status", code=503)
        said = (
            CliRunner().invoke(
                main, [*option, "run", "--resource", "persons"], env=project.environment
            )
        ).stderr
        assert ("3 new" in said) is has_list
        assert ("GET v2/persons" in said) is has_requests
        assert "503" in said
