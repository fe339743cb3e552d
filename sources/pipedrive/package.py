"""A package: the rows of one reading that are committed together."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy

import pyarrow as pa

from .reading import Reading


class Package:
    """The next package of a reading: what was read of it ahead, then the rest.

    Pages read ahead tell whether there is anything to load at all. The rest is read as it is
    loaded, so that a package is never in memory as a whole.
    """

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self._known = deepcopy(dict(reading.position))
        self._ahead: list[pa.Table] = []
        self._rest = reading.package()
        self._is_read = False

    def read_ahead(self, rows: int) -> None:
        """Read the package's beginning, of about so many rows that differ."""
        for page in self._rest:
            self._ahead.append(page)
            rows -= page.num_rows
            if rows <= 0:
                return
        self._is_read = True

    @property
    def is_worth_loading(self) -> bool:
        """Whether there are rows, or a position, to commit; or more to come that may be."""
        is_moved = dict(self.reading.position) != self._known
        return bool(self._ahead) or not self._is_read or is_moved

    def pages(self) -> Iterator[pa.Table]:
        """The package, once."""
        while self._ahead:
            yield self._ahead.pop(0)
        yield from self._rest
