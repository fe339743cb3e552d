from __future__ import annotations

from itertools import islice

import pytest

from transforms.custom_fields.naming import candidates, is_derived, is_usable, slug

KEY = "0a1b2c3d" + "f" * 32


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("Budget", "budget"),
        ("  Annual   Budget (EUR) ", "annual_budget_eur"),
        ("Größe", "grosse"),
        ("cafe\u0301", "cafe"),
        ("Бюджет", "byudzhet"),
        ("預算", "yusuan"),
        ('"; drop table persons; --', "drop_table_persons"),
        ("a🎉b", "a_b"),
        ("Size²", "size2"),
        ("🎉", "field_0a1b2c3d"),
        ("", "field_0a1b2c3d"),
        ("\0", "field_0a1b2c3d"),
        ("x" * 255, "x" * 50),
        ("x" * 49 + " y", "x" * 49),
    ],
)
def test_a_slug_is_lower_case_ascii_words(label: str, expected: str) -> None:
    assert slug(label, KEY) == expected


def test_names_take_more_and_more_of_the_key_until_one_is_free() -> None:
    names = list(islice(candidates("budget", KEY), 12))
    assert names[:3] == ["cf_budget", "cf_budget_0a1b2c", "cf_budget_0a1b2c3dffff"]
    assert len(set(names)) == len(names)


def test_a_name_from_the_configuration_is_told_from_one_that_was_derived() -> None:
    assert is_derived("cf_budget", "budget", KEY)
    assert is_derived("cf_budget_0a1b2c", "budget", KEY)
    assert not is_derived("cf_money", "budget", KEY)


@pytest.mark.parametrize("name", ["1st", "Budget", "a-b", "", "x" * 64, 'a"b'])
def test_names_that_need_quoting_are_not_usable(name: str) -> None:
    assert not is_usable(name)


def test_plain_names_are_usable() -> None:
    assert is_usable("cf_budget")
    assert is_usable("_x" + "1" * 61)
