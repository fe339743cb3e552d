from __future__ import annotations

from collections.abc import Mapping

import pytest
from raw_account import NOW, key

from transforms.custom_fields.definitions import Definition
from transforms.custom_fields.registry import CustomColumn, assign, layout
from warehouse.errors import ColumnNameError

Registry = tuple[CustomColumn, ...]


def look(
    known: Registry, *definitions: Definition, explicit: Mapping[str, str] | None = None
) -> Registry:
    return assign("persons", known, definitions, explicit or {}, {"id", "name", "owner_id"}, NOW)


def field(number: int, label: str, field_type: str = "varchar", position: int = 0) -> Definition:
    return Definition(key(number), label, field_type, position)


def names(columns: Registry) -> dict[str, str]:
    return {column.key: column.column_name for column in columns}


def shown(columns: Registry) -> list[str]:
    own = [name for column in columns for name in column.names()]
    return own + [alias for pairs in layout(columns).values() for alias, _ in pairs]


def test_the_first_field_in_the_list_keeps_the_bare_name() -> None:
    columns = look((), field(1, "Budget"), field(2, "budget!"))
    assert names(columns) == {key(1): "cf_budget", key(2): "cf_budget_020202"}


def test_names_do_not_depend_on_the_order_once_they_are_given() -> None:
    first = look((), field(1, "Budget"), field(2, "Budget"))
    again = look(first, field(2, "Budget"), field(1, "Budget"))
    assert names(again) == names(first)


def test_a_companion_column_collides_too() -> None:
    columns = look((), field(1, "Budget", "monetary"), field(2, "Budget currency"))
    assert names(columns)[key(2)] == "cf_budget_currency_020202"
    columns = look((), field(2, "Budget currency"), field(1, "Budget", "monetary"))
    assert names(columns) == {key(2): "cf_budget_currency", key(1): "cf_budget_010101"}


def test_a_field_called_name_stays_apart_from_the_standard_column() -> None:
    assert names(look((), field(1, "Name"))) == {key(1): "cf_name"}


def test_a_deleted_field_keeps_its_column_and_a_namesake_gets_another() -> None:
    columns = look(look((), field(1, "Budget")), field(2, "Budget"))
    assert names(columns) == {key(2): "cf_budget_020202", key(1): "cf_budget"}
    assert {c.key: c.is_active for c in columns} == {key(1): False, key(2): True}


def test_a_field_that_comes_back_has_its_column_again() -> None:
    columns = look(look(look((), field(1, "Budget"))), field(1, "Budget"))
    assert names(columns) == {key(1): "cf_budget"}
    assert columns[0].is_active


def test_no_definitions_at_all_mean_nothing_is_known_to_be_gone() -> None:
    known = look((), field(1, "Budget"))
    assert assign("persons", known, None, {}, set(), NOW) == known


def test_a_rename_moves_the_column_and_leaves_an_alias() -> None:
    columns = look(look((), field(1, "Budget", "monetary")), field(1, "Price", "monetary"))
    (column,) = columns
    assert (column.column_name, column.aliases, column.renamed_from) == (
        "cf_price",
        ("cf_budget",),
        "Budget",
    )
    assert shown(columns) == ["cf_price", "cf_price_currency", "cf_budget", "cf_budget_currency"]


def test_a_label_that_changes_but_for_its_letters_keeps_the_column() -> None:
    (column,) = look(look((), field(1, "Budget")), field(1, "BUDGET!"))
    assert (column.column_name, column.aliases, column.renamed_from) == ("cf_budget", (), "Budget")


def test_a_rename_back_takes_the_old_name_again() -> None:
    columns = look((), field(1, "Budget"))
    for label in ("Price", "Budget"):
        columns = look(columns, field(1, label))
    assert (columns[0].column_name, columns[0].aliases) == ("cf_budget", ("cf_price",))


def test_two_fields_that_swap_labels_end_with_unique_names() -> None:
    columns = look((), field(1, "A"), field(2, "B"))
    columns = look(columns, field(1, "B"), field(2, "A"))
    assert names(columns) == {key(1): "cf_b_010101", key(2): "cf_a_020202"}
    assert sorted(shown(columns)) == ["cf_a", "cf_a_020202", "cf_b", "cf_b_010101"]


def test_a_new_field_does_not_take_an_alias() -> None:
    columns = look(look((), field(1, "Budget")), field(1, "Price"))
    columns = look(columns, field(1, "Price"), field(2, "Budget"))
    assert names(columns)[key(2)] == "cf_budget_020202"
    assert columns[0].aliases == ("cf_budget",)


def test_a_type_change_keeps_the_name() -> None:
    columns = look(look((), field(1, "Budget")), field(1, "Budget", "monetary"))
    assert shown(columns) == ["cf_budget", "cf_budget_currency"]


def test_a_type_change_whose_companion_is_taken_moves_the_column() -> None:
    columns = look((), field(1, "Budget"), field(2, "Budget currency"))
    columns = look(columns, field(1, "Budget", "monetary"), field(2, "Budget currency"))
    assert names(columns) == {key(1): "cf_budget_010101", key(2): "cf_budget_currency"}
    assert columns[0].aliases == ("cf_budget",)
    assert len(set(shown(columns))) == len(shown(columns))


def test_a_suffix_once_named_keeps_its_column_whatever_the_dialect() -> None:
    with_part = Definition(key(1), "Place", "address", 0, subfields=("lat", "country"))
    columns = look(look((), with_part), field(1, "Place", "address"))
    assert "cf_place_lat" in shown(columns)
    assert shown(columns).count("cf_place_country") == 1


def test_an_explicit_name_wins_and_leaves_aliases_when_it_comes_and_goes() -> None:
    columns = look((), field(1, "Budget"))
    columns = look(columns, field(1, "Budget"), explicit={key(1): "money"})
    assert (columns[0].column_name, columns[0].aliases) == ("money", ("cf_budget",))
    columns = look(columns, field(1, "Price"), explicit={key(1): "money"})
    assert columns[0].column_name == "money"
    columns = look(columns, field(1, "Price"))
    assert (columns[0].column_name, columns[0].aliases) == ("cf_price", ("cf_budget", "money"))


def test_an_explicit_name_takes_it_from_the_field_that_had_it() -> None:
    columns = look((), field(1, "Budget"), field(2, "Price"))
    columns = look(columns, field(1, "Budget"), field(2, "Price"), explicit={key(2): "cf_budget"})
    assert names(columns) == {key(1): "cf_budget_010101", key(2): "cf_budget"}
    assert len(set(shown(columns))) == len(shown(columns))


@pytest.mark.parametrize(
    ("explicit", "words"),
    [
        ({key(1): "Budget"}, "cannot be a column name"),
        ({key(1): "name"}, "have already"),
        ({key(3): "owner"}, "owner_id"),
        ({key(1): "x", key(2): "x"}, "to both"),
        ({key(3): "x", key(2): "x_id"}, "to both"),
        ({key(9): "x"}, "do not have"),
    ],
)
def test_an_explicit_name_that_cannot_be_used_is_refused(
    explicit: dict[str, str], words: str
) -> None:
    with pytest.raises(ColumnNameError, match=words) as error:
        look((), field(1, "A"), field(2, "B"), field(3, "C", "user"), explicit=explicit)
    assert error.value.hint
    assert error.value.exit_code == 2
