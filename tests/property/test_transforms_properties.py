"""What holds for any labels, any values and any sequence of loads."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from raw_account import NOW, Account, key, v2_field

from transforms.custom_fields.definitions import Definition
from transforms.custom_fields.field_types import FIELD_TYPES
from transforms.custom_fields.naming import slug
from transforms.custom_fields.registry import CustomColumn, assign, layout

LABELS = st.one_of(
    st.sampled_from(["A", "a!", "B", "A currency", "A until", "A id", "A country", "Name"]),
    st.text(max_size=60),
)
TYPES = st.sampled_from([*FIELD_TYPES, "brand_new"])


@given(st.text(max_size=300))
def test_a_slug_is_always_a_plain_name(label: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", slug(label, key(1)))
    assert len(slug(label, key(1))) <= 50


@st.composite
def listings(draw: st.DrawFn) -> list[Definition]:
    keys = draw(st.permutations([key(n) for n in range(1, 6)]))
    count = draw(st.integers(0, len(keys)))
    return [
        Definition(k, draw(LABELS), draw(TYPES), position)
        for position, k in enumerate(keys[:count])
    ]


@given(st.lists(listings(), min_size=1, max_size=6), st.booleans())
def test_columns_are_unique_and_stable_through_any_history(
    history: list[list[Definition]], has_explicit: bool
) -> None:
    columns: tuple[CustomColumn, ...] = ()
    for turn, definitions in enumerate(history):
        explicit = {key(1): "cf_a"} if has_explicit and turn % 2 else {}
        explicit = {k: v for k, v in explicit.items() if any(d.key == k for d in definitions)}
        before = {c.key: c for c in columns}
        columns = assign("persons", columns, definitions, explicit, {"id", "name"}, NOW)

        shown = [name for column in columns for name in column.names()]
        shown += [alias for pairs in layout(columns).values() for alias, _ in pairs]
        assert len(shown) == len(set(shown))
        assert not {"id", "name"} & set(shown)
        assert {c.key for c in columns} == before.keys() | {d.key for d in definitions}
        for column in columns:
            old = before.get(column.key)
            if old and old.column_name != column.column_name and old.column_name not in shown:
                raise AssertionError(f"{old.column_name} is gone")
        assert set(assign("persons", columns, definitions, explicit, {"id", "name"}, NOW)) == set(
            columns
        )


VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.sampled_from(["", "x", "1", "12.7", "2026-02-03", "10:00:00", "1,2", "{", "[1", "1.23456"]),
    st.integers(-5, 5),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.lists(st.integers(0, 3), max_size=3),
    st.fixed_dictionaries({"value": st.sampled_from([1.5, None, "x", "2026-01-01", {"a": 1}])}),
    st.text(max_size=20),
)
FIELDS = tuple((key(n), field_type) for n, field_type in enumerate([*FIELD_TYPES, "brand_new"]))
STANDARD = ("name", "owner_id", "emails", "label_ids", "add_time", "visible_to", "is_deleted")


@st.composite
def loads(draw: st.DrawFn) -> list[dict[str, Any]]:
    ids = draw(st.lists(st.integers(1, 4), unique=True, min_size=1, max_size=3))
    records = []
    for id_ in ids:
        custom = draw(st.dictionaries(st.sampled_from([k for k, _ in FIELDS]), VALUES, max_size=5))
        record: dict[str, Any] = {"id": id_}
        record |= draw(st.dictionaries(st.sampled_from(STANDARD), VALUES, max_size=3))
        records.append(record | (custom if draw(st.booleans()) else {"custom_fields": custom}))
    return records


@settings(max_examples=15)
@given(st.lists(loads(), min_size=1, max_size=4), st.lists(st.booleans(), min_size=4, max_size=4))
def test_taking_in_loads_one_by_one_equals_a_full_rebuild(
    history: list[list[dict[str, Any]]], is_transformed: list[bool]
) -> None:
    account = Account()
    account.listing("person_fields", *(v2_field(k, f"x {t}", t) for k, t in FIELDS))
    for records, transforms in zip(history, is_transformed, strict=False):
        account.records("persons", *records)
        if transforms:
            account.transform()
    account.transform()
    queries = (
        "select * from crm.persons order by id",
        "select * from ops.rejected_values order by all",
    )
    stepwise = [account.rows(query) for query in queries]
    account.transform(full=True)
    assert [account.rows(query) for query in queries] == stepwise


@settings(max_examples=15)
@given(VALUES, st.sampled_from(FIELDS))
def test_no_value_is_lost_silently(value: Any, field: tuple[str, str]) -> None:
    field_key, field_type = field
    account = Account()
    account.listing("person_fields", v2_field(field_key, "x", field_type))
    account.records("persons", {"id": 1, "custom_fields": {field_key: value}})
    account.transform()
    if value in (None, "", {"value": None}) or (field_type == "set" and value == []):
        assert account.rejected() == []
        return
    columns = [c for c in account.columns_of("staging.persons_custom_fields") if c[:3] == "cf_"]
    (shown,) = account.rows(f"select {', '.join(columns)} from staging.persons_custom_fields")
    assert any(v is not None for v in shown) or account.rejected()
