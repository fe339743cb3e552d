"""The public tables equal the account, value by value, through either dialect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from expected import NOT_SENT_BY_COLLECTION, expected
from projects import Project

from sources.sandbox import Sandbox
from sources.sandbox.truth import truth

Make = Callable[[Sandbox], Project]
ENTITIES = ("leads", "persons", "organizations")
APIS = ("v2", "collection")
WITHOUT_DIALECT = (
    "leads",
    "person_emails",
    "person_phones",
    "custom_fields",
    "custom_field_options",
    "users",
    "lead_labels",
    "lead_sources",
    "currencies",
)


def columns_of(project: Project, entity: str) -> dict[str, str]:
    return dict(
        project.rows(
            f"select key, column_name from custom_fields where entity = '{entity}'", published=True
        )
    )


def assert_equals_account(project: Project, box: Sandbox, api: str) -> None:
    account = truth(box.account)
    for entity in ENTITIES:
        wanted = expected(account, entity, columns_of(project, entity))
        found = project.records(entity)
        assert found.keys() == wanted.keys(), entity
        unsent = NOT_SENT_BY_COLLECTION[entity] if api == "collection" else set()
        for key, row in wanted.items():
            for column, value in row.items():
                if column in unsent or (api == "collection" and column.endswith("_timezone")):
                    continue
                assert found[key][column] == value, (entity, key, column)


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("v2_unset", ["null", pytest.param("absent", marks=pytest.mark.thorough)])
def test_every_value_of_every_field_type_equals_the_account(
    project_of: Make, api: str, v2_unset: Any
) -> None:
    with Sandbox(
        persons=40, organizations=20, leads=25, archived_leads=10, seed=5, v2_unset=v2_unset
    ) as box:
        project = project_of(box)
        project.run(api=api)
        assert_equals_account(project, box, api)
        assert project.rows("from rejected_values", published=True) == []


def test_v2_and_collection_give_the_same_tables(project_of: Make) -> None:
    with Sandbox(persons=60, organizations=20, leads=25, archived_leads=10, fields=45) as box:
        tables = {}
        for api in APIS:
            project = project_of(box)
            project.run(api=api)
            tables[api] = {
                name: (project.columns(name), project.table(name)) for name in WITHOUT_DIALECT
            }
            for entity in ("persons", "organizations"):
                unsent = NOT_SENT_BY_COLLECTION[entity] | {"cc_email"}
                columns = project.columns(entity)
                sent = [c for c in columns if c not in unsent and not c.endswith("_timezone")]
                listed = ", ".join(f'"{column}"' for column in sent)
                rows = project.rows(f"select {listed} from {entity} order by id", published=True)
                tables[api][entity] = (columns, rows)
        for name, table in tables["v2"].items():
            assert table == tables["collection"][name], name


def test_awkward_names_are_all_present_distinct_and_the_same_on_every_run(
    project_of: Make,
) -> None:
    with Sandbox(persons=20, seed=2) as box:
        project = project_of(box)
        project.run(api="v2")
        first = columns_of(project, "persons")
        names = [field.name for field in box.account.custom_fields("person")]
        assert len(first) == len(names)
        assert len(set(first.values())) == len(names)
        assert {"cf_budget", "cf_name", "cf_drop_table"} <= set(first.values())
        assert all(len(column) < 70 and column.isascii() for column in first.values())
        emoji = next(f for f in box.account.custom_fields("person") if f.name == "🚀🔥")
        assert first[emoji.key] == f"cf_field_{emoji.key[:8]}"
        box.account.edit("person", 1, name="Changed")
        project.run(api="v2")
        assert columns_of(project, "persons") == first
        other = project_of(box)
        other.run(api="collection")
        assert columns_of(other, "persons") == first
        assert project.value("select count(*) from persons", published=True) == 20


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("moves", [False, pytest.param(True, marks=pytest.mark.thorough)])
def test_a_lead_is_one_row_through_archive_and_back(
    project_of: Make, api: str, moves: bool
) -> None:
    with Sandbox(persons=10, leads=20, archived_leads=8, archive_moves_update_time=moves) as box:
        project = project_of(box)
        project.run(api=api)
        leads = list(box.account.visible("lead"))
        opened = [lead.id for lead in leads if not lead.is_archived]
        archived = [lead.id for lead in leads if lead.is_archived]
        box.account.archive_lead(opened[0])
        box.account.unarchive_lead(archived[0])
        box.account.edit(
            "lead", opened[1], title="Edited", value={"amount": "12.34", "currency": "EUR"}
        )
        result = project.run(api=api)
        assert_equals_account(project, box, api)
        assert project.requests_of(result)["leads"] == 1
        assert project.requests_of(result)["archived_leads"] == 1
        box.account.unarchive_lead(opened[0])
        box.account.archive_lead(archived[0])
        project.run(api=api)
        assert_equals_account(project, box, api)


@pytest.mark.parametrize("api", APIS)
def test_the_tables_follow_the_account_through_its_life(project_of: Make, api: str) -> None:
    with Sandbox(persons=40, organizations=15, leads=30, archived_leads=10) as box:
        project = project_of(box)
        account = box.account
        project.run(api=api)
        for sentence in account.live(6):
            assert sentence
        segment = account.field_named("person", "Segment")
        account.rename_option("person", segment.key, int(segment.options[0].id), 'Tiny "S"')
        account.add_option("person", segment.key, "Brand new")
        account.add_field("person", "Shoe size", "double")
        size = account.field_named("person", "Shoe size").key
        account.edit("person", 2, custom={size: 42.5})
        project.run(api=api)
        assert_equals_account(project, box, api)
        assert (
            project.value("select cf_shoe_size from persons where id = 2", published=True) == 42.5
        )


def test_a_renamed_field_keeps_its_old_column_as_an_alias(project_of: Make) -> None:
    with Sandbox(persons=10) as box:
        project = project_of(box)
        project.run(api="v2")
        key = box.account.field_named("person", "Yearly budget").key
        before = project.rows(
            "select id, cf_yearly_budget from persons order by id", published=True
        )
        box.account.rename_field("person", key, "Budget per year")
        result = project.run(api="v2")
        assert result.is_published
        both = project.rows(
            "select id, cf_budget_per_year, cf_yearly_budget from persons order by id",
            published=True,
        )
        assert both == [(i, value, value) for i, value in before]


def test_a_second_run_without_a_change_leaves_the_published_file_untouched(
    project_of: Make,
) -> None:
    with Sandbox(persons=20, organizations=5, leads=10, archived_leads=5) as box:
        project = project_of(box)
        project.run()
        file = project.folder / "pipedrive.duckdb"
        before = (file.stat().st_mtime_ns, file.stat().st_ino, file.read_bytes())
        rows = {e: project.rows(f"select *, rowid from staging.{e}") for e in ENTITIES}
        assert not project.run().is_published
        assert (file.stat().st_mtime_ns, file.stat().st_ino, file.read_bytes()) == before
        assert {e: project.rows(f"select *, rowid from staging.{e}") for e in ENTITIES} == rows


@pytest.mark.parametrize(
    ("entity", "path", "patch", "columns"),
    [
        ("persons", "*v2/persons", {"name": {"x": 1}}, {"name": '{"x":1}'}),
        ("persons", "*v2/persons", {"owner_id": "abc"}, {"owner_id": "abc"}),
        ("persons", "*v2/persons", {"add_time": "yesterday"}, {"add_time": "yesterday"}),
        ("organizations", "*v2/organizations", {"address": [1]}, {"address": "[1]"}),
        ("leads", "*v1/leads", {"value": {"amount": "x", "currency": "EUR"}}, {"value": "x"}),
        ("leads", "*v1/leads", {"expected_close_date": "2026-02-30"},
         {"expected_close_date": "2026-02-30"}),
        ("users", "*v1/users", {"created": "longago"}, {"created": "longago"}),
        *(
            pytest.param(*case, marks=pytest.mark.thorough)
            for case in (
                ("persons", "*v2/persons", {"org_id": [1, 2]}, {"organization_id": "[1,2]"}),
                ("persons", "*v2/persons", {"emails": "a@b.ee"}, {"emails": "a@b.ee"}),
                ("persons", "*v2/persons", {"label_ids": "x"}, {"label_ids": "x"}),
                ("persons", "*v2/persons", {"visible_to": {"a": 1}}, {"visible_to": '{"a":1}'}),
                ("leads", "*v1/leads", {"was_seen": "perhaps"}, {"was_seen": "perhaps"}),
            )
        ),
    ],
)  # fmt: skip
def test_an_unexpected_type_is_null_a_rejected_value_and_kept_in_raw(
    project_of: Make, entity: str, path: str, patch: dict[str, Any], columns: dict[str, str]
) -> None:
    with Sandbox(persons=5, organizations=5, leads=5) as box:
        kind: Any = entity.removesuffix("s")
        records = box.account.users if entity == "users" else box.account.visible(kind)
        identity = next(x.id for x in records if not getattr(x, "is_archived", False))
        box.fault(path, "replace", id=identity, patch=patch)
        project = project_of(box)
        assert project.run(api="v2").exit_code == 0
        row = project.records(entity)[identity]
        for column, value in columns.items():
            assert row[column] is None
            rejected = project.rows(
                f"select value from rejected_values where id = '{identity}' "
                f"and entity = '{entity}' and column_name = '{column}'",
                published=True,
            )
            assert [value.replace(" ", "") for (value,) in rejected] == [value]
        (name,) = patch
        assert project.value(
            f"select json_exists(payload, '$.{name}') from raw.{entity} where id = '{identity}'"
        )


@pytest.mark.parametrize("api", APIS)
def test_unexpected_custom_values_are_null_rejected_and_kept_in_raw(
    project_of: Make, api: str
) -> None:
    bad: dict[str, Any] = {
        "double": "many", "date": "2026-02-30", "monetary": {"value": "lots", "currency": "EUR"},
        "enum": "Segment A", "set": "x,y", "text": {"a": 1}, "user": "someone", "time": "25:99",
    }  # fmt: skip
    with Sandbox(persons=5) as box:
        fields = {f.field_type: f for f in box.account.custom_fields("person")[:17]}
        patch: dict[str, Any] = {fields[kind].key: value for kind, value in bad.items()}
        if api == "collection":
            patch[fields["monetary"].key] = "lots"
        box.fault(
            "*/persons*", "replace", times=None, id=3,
            patch={"custom_fields": patch} if api == "v2" else patch,
        )  # fmt: skip
        project = project_of(box)
        project.run(api=api)
        columns = columns_of(project, "persons")
        row = project.records("persons")[3]
        rejected = dict(
            project.rows(
                "select column_name, value from rejected_values where id = '3'", published=True
            )
        )
        for kind in bad:
            column = columns[fields[kind].key]
            assert row[column] is None, kind
            assert {column, f"{column}_id", f"{column}_ids"} & rejected.keys(), kind
