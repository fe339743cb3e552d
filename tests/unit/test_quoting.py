from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.quoting import quote_identifier, quote_literal

anything = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@given(anything)
def test_any_text_is_one_literal(text: str) -> None:
    assert duckdb.execute(f"select {quote_literal(text)}").fetchone() == (text,)


@given(anything)
def test_any_name_is_one_identifier(name: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"create table t ({quote_identifier(name)} integer)")
        (column,) = connection.execute("select * from t").description or ()
        assert column[0] == name


@pytest.mark.parametrize("name", ["", "a\0b"])
def test_what_no_identifier_can_hold_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not usable"):
        quote_identifier(name)


def test_a_nul_in_a_literal_becomes_a_visible_mark() -> None:
    assert quote_literal("a\0'b") == "'a\ufffd''b'"
