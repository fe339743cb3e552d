"""What `tables` and `columns` tell, and that the page of tables is what the models say."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from transforms.models import load_models
from transforms.tables_page import GROUPS, tables_page
from warehouse.describe import (
    ColumnInfo,
    TableInfo,
    columns_by_table,
    describe_columns,
    describe_tables,
)
from warehouse.errors import QueryError

PAGE = Path(__file__).parents[2] / "docs" / "tables.md"


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:")
    connection.execute(
        """
        create table leads as select * from (values
            (1, 'A', ['Hot', 'New'], null::integer),
            (2, 'B', [], null),
            (3, 'A', null, null),
            (4, chr(27) || 'C', ['Hot'], null)
        ) v(id, "an ""odd"" name", labels, nothing);
        comment on table leads is 'One row per lead.';
        comment on column leads."an ""odd"" name" is 'Odd name';
        create view open_leads as select id from leads limit 0;
        """
    )
    return connection


def test_tables_have_their_rows_and_say_what_one_row_is(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    assert describe_tables(connection) == [
        TableInfo("leads", 4, "One row per lead."),
        TableInfo("open_leads", 0, ""),
    ]
    assert describe_tables(duckdb.connect(":memory:")) == []


def test_columns_have_label_share_and_different_examples(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    assert describe_columns(connection, "LEADS") == [
        ColumnInfo("id", "INTEGER", "", 1, ("1", "2", "3")),
        ColumnInfo('an "odd" name', "VARCHAR", "Odd name", 1, ("A", "B", "\\x1bC")),
        ColumnInfo("labels", "VARCHAR[]", "", 0.5, ("Hot, New", "Hot")),
        ColumnInfo("nothing", "INTEGER", "", 0, ()),
    ]
    (column,) = describe_columns(connection, "open_leads")
    assert column == ColumnInfo("id", "INTEGER", "", None, ())


def test_what_is_attached_is_not_mixed_in_and_temporary_tables_are(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    connection.execute(
        "attach ':memory:' as other; create table other.main.theirs as select 1 as x"
    )
    connection.execute("create temp table mine as select 1 as x")
    assert [table.name for table in describe_tables(connection)] == ["leads", "mine", "open_leads"]
    assert list(columns_by_table(connection)) == ["leads", "mine", "open_leads"]


def test_a_table_that_is_not_there_is_told_with_the_nearest(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    with pytest.raises(QueryError, match="no table lead") as caught:
        describe_columns(connection, "lead")
    assert caught.value.hint == "Did you mean leads?"
    with pytest.raises(QueryError) as caught:
        describe_columns(connection, "x; drop table leads")
    assert "pipeduck tables" in caught.value.hint


def test_the_page_of_tables_is_made_from_the_models() -> None:
    how = "python -m transforms.tables_page > docs/tables.md makes it anew"
    assert PAGE.read_text("utf-8") == tables_page(), how
    public = {name.removeprefix("crm.") for name in load_models() if name.startswith("crm.")}
    assert {table for tables in GROUPS.values() for table in tables} == public
