"""`pipeduck fields`, and fields that change between runs, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable

import duckdb
import pytest
from click.testing import CliRunner, Result
from projects import Project

from pipelines.cli import main
from sources.sandbox import Sandbox

Make = Callable[[Sandbox], Project]
NO_DIFFERENCES = "no differences\n"


def call(project: Project, *arguments: str, answer: str | None = None, **settings: str) -> Result:
    environment = project.environment | {
        f"SOURCES__PIPEDRIVE__{name.upper()}": value for name, value in settings.items()
    }
    return CliRunner().invoke(main, ["fields", *arguments], env=environment, input=answer)


def field_of(box: Sandbox, field_type: str) -> str:
    """The key of the first field of that type that persons have."""
    return next(f.key for f in box.account.custom_fields("person") if f.field_type == field_type)


def paths_since(box: Sandbox, count: int) -> set[str]:
    return {request.path.rpartition("/")[2] for request in box.requests[count:]}


def test_the_dictionary_is_printed_from_the_published_file(project_of: Make) -> None:
    with Sandbox(persons=3, organizations=2, leads=2) as box:
        project = project_of(box)
        project.run()
    shown = call(project)
    assert shown.exit_code == 0, shown.output
    assert "cf_yearly_budget" in shown.stdout
    assert "DECIMAL(18,4)" in shown.stdout
    fields = json.loads(call(project, "--json", "--entity", "persons").stdout)
    assert {field["entity"] for field in fields} == {"persons"}
    budget = next(f for f in fields if f["column_name"] == "cf_yearly_budget")
    assert budget == {
        "entity": "persons",
        "column_name": "cf_yearly_budget",
        "label": "Yearly budget",
        "field_type": "monetary",
        "sql_type": "DECIMAL(18,4)",
        "is_active": True,
        "aliases": [],
    }


@pytest.mark.parametrize("arguments", [[], ["diff"], ["prune", "--yes"]])
def test_before_the_first_run_the_commands_say_what_to_do(
    project_of: Make, arguments: list[str]
) -> None:
    with Sandbox() as box:
        result = call(project_of(box), *arguments)
    assert result.exit_code == 2
    assert "pipeduck run" in result.stderr


@pytest.mark.parametrize("api", ["v2", "collection"])
def test_diff_says_what_the_next_run_does_and_then_nothing(
    project_of: Make, api: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with Sandbox(persons=6, organizations=2, leads=4) as box:
        project = project_of(box)
        project.run(api=api)
        assert call(project, "diff", api=api).stdout == NO_DIFFERENCES
        account = box.account
        account.rename_field("person", field_of(box, "monetary"), "Budget (EUR)")
        account.delete_field("person", field_of(box, "date"))
        account.add_field("deal", "Odds", "double")
        enum = account.field("person", field_of(box, "enum"))
        assert enum.options
        account.rename_option("person", enum.key, int(enum.options[0].id), "Renamed")
        before = project.folder.joinpath("warehouse.duckdb").read_bytes()
        asked = len(box.requests)
        result = call(project, "diff", api=api)
        assert result.exit_code == 0, result.output
        told = result.stdout.splitlines()
        assert (
            'persons: "Yearly budget" is now "Budget (EUR)": column cf_budget_eur, '
            "cf_yearly_budget stays as an alias"
        ) in told
        assert 'leads: new field "Odds" (double): column cf_odds' in told
        assert any("was deleted: column" in line for line in told)
        assert any('is now "Renamed"' in line for line in told)
        assert project.folder.joinpath("warehouse.duckdb").read_bytes() == before
        assert paths_since(box, asked) == {
            *("me", "dealFields", "leadFields", "personFields", "organizationFields")
        }
        cost = sum(request.cost for request in box.requests[asked:])
        assert f"{len(box.requests) - asked} requests, {cost} tokens" in result.stderr

        capsys.readouterr()
        project.run(api=api)
        narrated = capsys.readouterr().err.splitlines()
        assert set(told) <= set(narrated)
        assert call(project, "diff", api=api).stdout == NO_DIFFERENCES


def test_diff_asks_only_for_the_definitions_of_what_is_loaded(project_of: Make) -> None:
    with Sandbox(persons=2) as box:
        project = project_of(box)
        project.environment["SOURCES__PIPEDRIVE__RESOURCES"] = '["persons"]'
        project.run()
        asked = len(box.requests)
        assert call(project, "diff").stdout == NO_DIFFERENCES
        assert paths_since(box, asked) == {"me", "personFields"}


def test_diff_of_another_company_or_with_a_wrong_token_is_refused(project_of: Make) -> None:
    with Sandbox(persons=2) as box:
        project = project_of(box)
        project.run()
        wrong = call(project, "diff", api_token="wrong" * 8)
        assert wrong.exit_code == 77
        assert "Error: " in wrong.stderr
        with duckdb.connect(project.environment["WAREHOUSE__PATH"]) as connection:
            connection.execute("update ops.runs set company_id = 1")
        refused = call(project, "diff")
        assert refused.exit_code == 2
        assert "holds company 1" in refused.stderr


@pytest.mark.parametrize("api", ["v2", "collection"])
def test_a_field_deleted_between_runs_keeps_its_last_values(project_of: Make, api: str) -> None:
    kinds = ("monetary", "date", "enum", "set", "address", "varchar", "user")
    with Sandbox(persons=30, organizations=3) as box:
        project = project_of(box)
        project.run(api=api)
        keys = [field_of(box, kind) for kind in kinds]
        query = "select key, column_name from custom_fields where entity = 'persons'"
        column_of = dict(project.rows(query, published=True))
        columns = [column_of[key] for key in keys]
        query = f"select id, {', '.join(columns)} from persons order by id"
        before = project.rows(query, published=True)
        assert any(all(row[n] is not None for n in (0, 1)) for row in before)
        for key in keys:
            box.account.delete_field("person", key)
        for id_ in (1, 2, 3):
            box.account.edit("person", id_, name=f"Edited {id_}")
        project.run(api=api)
        assert project.rows(query, published=True) == before
        for id_ in (1, 2, 3, 4):
            box.account.edit("person", id_, name=f"Edited again {id_}")
        project.run(api=api)
        assert project.rows(query, published=True) == before
        listed = ", ".join(f"'{key}'" for key in keys)
        assert (
            project.value(
                f"select bool_or(is_active) from custom_fields where key in ({listed})"
                " and entity = 'persons'",
                published=True,
            )
            is False
        )
        assert project.value("select count(*) from rejected_values", published=True) == 0


def test_prune_asks_and_then_drops_old_names(project_of: Make) -> None:
    with Sandbox(persons=3, organizations=2, leads=2) as box:
        project = project_of(box)
        project.run()
        nothing = call(project, "prune")
        assert (nothing.exit_code, nothing.stdout) == (0, "")
        assert "nothing to prune" in nothing.stderr
        box.account.rename_field("person", field_of(box, "monetary"), "Price")
        project.run()
    asked = len(box.requests)
    kept = call(project, "prune", answer="n\n")
    assert kept.exit_code == 0
    assert kept.stdout.splitlines()[0] == "persons: cf_yearly_budget (now cf_price)"
    assert "cf_yearly_budget" in project.columns("persons")
    assert call(project, "prune", "--yes", "--entity", "leads").exit_code == 0
    assert "cf_yearly_budget" in project.columns("persons")
    pruned = call(project, "prune", "--yes", "--entity", "persons")
    assert pruned.exit_code == 0, pruned.output
    assert "published" in pruned.stderr
    assert "cf_yearly_budget" not in project.columns("persons")
    assert "cf_price" in project.columns("persons")
    assert "nothing to prune" in call(project, "prune", "--yes").stderr
    assert len(box.requests) == asked
