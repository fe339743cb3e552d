from __future__ import annotations

from types import ModuleType

import pytest

import pipelines.errors
import sources.pipedrive.errors
import warehouse.errors
from pipelines.errors import is_told

EXIT_CODES = {1, 2, 3, 4, 75, 77}


@pytest.mark.parametrize("module", [pipelines.errors, sources.pipedrive.errors, warehouse.errors])
def test_every_error_has_a_message_a_hint_an_exit_code_and_a_place_in_the_tree(
    module: ModuleType,
) -> None:
    errors = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Exception)
    ]
    assert errors
    for kind in errors:
        error = kind("something is wrong", "do this")
        assert is_told(error)
        assert (error.message, error.hint) == ("something is wrong", "do this")
        assert error.exit_code in EXIT_CODES
        assert kind.__name__ in (module.__doc__ or "")


def test_other_errors_are_unexpected() -> None:
    assert not is_told(ValueError("x"))
