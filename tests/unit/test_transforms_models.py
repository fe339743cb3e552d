from __future__ import annotations

import pytest

from transforms.models import Model, in_order, load_models, parse_model
from warehouse.errors import ModelError

VIEW = """\
-- One row per thing.
--
-- materialized: view
-- columns:
--   id: Its id

select 1 as id
"""


def test_a_header_says_what_a_model_is() -> None:
    model = parse_model("crm.things", VIEW)
    assert model == Model(
        "crm.things", "select 1 as id\n", "view", "One row per thing.", {"id": "Its id"}
    )


def test_a_description_ends_at_the_first_empty_line() -> None:
    model = parse_model(
        "crm.x",
        "-- One row\n-- per thing.\n--\n-- More: words.\n--\n-- materialized: view\nselect 1",
    )
    assert model.description == "One row per thing."


@pytest.mark.parametrize(
    ("text", "words", "hint"),
    [
        (VIEW.replace("materialized", "materialised"), "'materialised'", "'materialized'"),
        (VIEW.replace("materialized", "zzz"), "'zzz'", "Known are"),
        (VIEW.replace("view", "graph"), "'graph'", "view, table, incremental"),
        (VIEW.replace("-- materialized: view\n", ""), "no way to build", "materialized"),
        (VIEW.replace("-- columns", "-- materialized: view\n-- columns"), "twice", "Remove"),
        (VIEW.replace("id: Its id", "id:"), "without a description", "column: what"),
        (VIEW.replace("-- One row per thing.\n", ""), "what one row is", "One row per"),
        ("select 1", "what one row is", "One row per"),
        (VIEW.replace("view", "incremental"), r"\$since", "incremental"),
        (VIEW + "where x > $since", r"\$since", "incremental"),
    ],
)
def test_a_bad_header_is_an_error_that_tells_the_fix(text: str, words: str, hint: str) -> None:
    with pytest.raises(ModelError, match=words) as error:
        parse_model("crm.things", text)
    assert error.value.message.startswith("crm.things")
    assert hint in error.value.hint


def model(name: str, sql: str) -> Model:
    return Model(name, sql, "view", "One row.")


def test_models_come_after_what_they_read() -> None:
    models = {
        "crm.a": model("crm.a", "select * from staging.b join raw.c using (id)"),
        "staging.b": model("staging.b", "select * from ops.d -- not crm.a\nwhere x = 'crm.a'"),
    }
    ordered = in_order(models, {"raw.c", "ops.d"})
    assert [m.name for m in ordered] == ["staging.b", "crm.a"]


def test_a_reference_to_nothing_tells_the_nearest_name() -> None:
    with pytest.raises(ModelError, match=r"reads staging\.person,") as error:
        in_order({"crm.a": model("crm.a", "from staging.person")}, {"staging.persons"})
    assert error.value.hint == "Did you mean staging.persons?"


def test_a_circle_is_an_error() -> None:
    models = {"crm.a": model("crm.a", "from crm.b"), "crm.b": model("crm.b", "from crm.a")}
    with pytest.raises(ModelError, match="in a circle"):
        in_order(models, set())


def test_the_models_of_the_project_parse_and_public_ones_describe_every_column() -> None:
    models = load_models()
    assert {"staging.persons", "crm.leads"} <= models.keys()
    assert all(m.columns for name, m in models.items() if name.startswith("crm."))
