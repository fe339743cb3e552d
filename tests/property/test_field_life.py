"""What holds for any life of custom fields: names, aliases, and the values of deleted fields."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from raw_account import NOW, Account, key, v2_field

from transforms.custom_fields.definitions import Definition
from transforms.custom_fields.naming import slug
from transforms.custom_fields.registry import CustomColumn, assign, layout

LABELS = st.sampled_from(["A", "a!", "B", "C", "A currency", "A until", "A id"])
TYPES = st.sampled_from(["varchar", "monetary", "daterange", "enum"])
NUMBERS = st.integers(1, 5)
EVENTS = st.one_of(
    st.tuples(st.just("create"), NUMBERS, LABELS, TYPES),
    st.tuples(st.just("rename"), NUMBERS, LABELS, TYPES),
    st.tuples(st.just("swap"), NUMBERS, NUMBERS, TYPES),
    st.tuples(st.just("delete"), NUMBERS, LABELS, TYPES),
    st.tuples(st.just("retype"), NUMBERS, LABELS, TYPES),
)
Fields = dict[str, tuple[str, str]]


def happen(fields: Fields, event: tuple[str, Any, Any, str]) -> None:
    """One event in Pipedrive; one that cannot happen does nothing."""
    what, number, argument, field_type = event
    one = key(number)
    if what == "create" and one not in fields:
        fields[one] = (argument, field_type)
    elif one not in fields:
        return
    elif what == "rename":
        fields[one] = (argument, fields[one][1])
    elif what == "retype":
        fields[one] = (fields[one][0], field_type)
    elif what == "delete":
        del fields[one]
    elif what == "swap" and key(argument) in fields:
        other = key(argument)
        labels = fields[one][0], fields[other][0]
        fields[one] = (labels[1], fields[one][1])
        fields[other] = (labels[0], fields[other][1])


@settings(max_examples=300)
@given(st.lists(st.lists(EVENTS, min_size=1, max_size=3), min_size=1, max_size=8), st.randoms())
def test_a_name_once_given_is_one_fields_for_ever(
    history: list[list[tuple[str, Any, Any, str]]], random: Any
) -> None:
    fields: Fields = {}
    columns: tuple[CustomColumn, ...] = ()
    owner: dict[str, str] = {}  # of each main name ever given
    for events in history:
        for event in events:
            happen(fields, event)
        order = list(fields)
        random.shuffle(order)
        before = {column.key: column for column in columns}
        definitions = [Definition(k, *fields[k], place) for place, k in enumerate(order)]
        columns = assign("persons", columns, definitions, {}, {"id", "name"}, NOW)

        shown = {name: column.key for column in columns for name in column.names()}
        for column in columns:
            for alias, target in layout(columns)[column.key]:
                assert alias not in shown, "two columns of one name"
                assert target in column.names(), "an alias shows another field"
                shown[alias] = column.key
        for column in columns:
            assert owner.setdefault(column.column_name, column.key) == column.key
            old = before.get(column.key)
            if old and (old.label, old.field_type) == (column.label, column.field_type):
                assert old.column_name == column.column_name, "an unchanged field moved"
        for name, owned_by in owner.items():
            assert shown.get(name) == owned_by, "an old name shows nothing, or another field"
        for column in columns:
            bare = f"cf_{slug(column.label, column.key)}"
            if column.key in fields and column.column_name != bare:
                assert column.column_name.startswith(f"{bare}_{column.key[:6]}")


KEYS = (key(1), key(2))
LIFE = st.one_of(
    st.tuples(st.just("write"), st.integers(1, 3), st.sampled_from(KEYS), st.integers(0, 9)),
    st.tuples(st.just("clear"), st.integers(1, 3), st.sampled_from(KEYS), st.just(0)),
    st.tuples(st.just("toggle"), st.just(0), st.sampled_from(KEYS), st.just(0)),
    st.tuples(st.just("read"), st.integers(1, 3), st.just(""), st.just(0)),
    st.tuples(st.just("transform"), st.just(0), st.just(""), st.integers(0, 1)),
)


@settings(max_examples=10)  # each transforms many times
@given(st.lists(LIFE, min_size=4, max_size=20), st.booleans())
def test_a_deleted_field_shows_the_last_values_known_through_any_life(
    events: list[tuple[str, int, str, int]], is_nested: bool
) -> None:
    account = Account()
    active = dict.fromkeys(KEYS, True)
    live: dict[int, dict[str, str | None]] = {1: {}, 2: {}, 3: {}}  # Pipedrive
    raw: dict[int, dict[str, str | None]] = {1: {}, 2: {}, 3: {}}  # as last read
    last_known: dict[int, dict[str, str | None]] = {1: {}, 2: {}, 3: {}}
    was_active = dict(active)

    def read(id_: int) -> None:
        raw[id_] = dict(live[id_])
        custom = raw[id_]
        record = {"id": id_, "custom_fields": custom} if is_nested else {"id": id_, **custom}
        account.records("persons", record, api="v2" if is_nested else "collection")

    def transform(*, full: bool) -> None:
        account.listing(
            "person_fields",
            v2_field(key(9), "Always there"),
            *(v2_field(k, f"F{k[0:2]}") for k in KEYS if active[k]),
        )
        account.transform(full=full)
        for id_, known in last_known.items():
            for k in KEYS:
                if was_active[k] and not active[k]:
                    known[k] = raw[id_][k] if k in raw[id_] else known.get(k)
                elif active[k]:
                    known[k] = raw[id_].get(k)
        was_active.update(active)
        expected = [
            tuple(
                raw[id_].get(k) if raw[id_].get(k) is not None else last_known[id_].get(k)
                for k in KEYS
            )
            for id_ in (1, 2, 3)
        ]
        assert account.rows("select cf_f01, cf_f02 from crm.persons order by id") == expected

    for id_ in live:
        read(id_)
    transform(full=False)
    for what, id_, k, number in events:
        if what == "write" and active[k]:
            live[id_][k] = str(number)
        elif what == "clear" and active[k]:
            live[id_][k] = None
        elif what == "toggle":
            active[k] = not active[k]
            for record in live.values():
                record.pop(k, None)
        elif what == "read":
            read(id_)
        elif what == "transform":
            transform(full=bool(number))
    transform(full=False)
    transform(full=True)
