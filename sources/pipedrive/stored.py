"""What a source may ask about rows that were loaded before; answered by whoever keeps them.

The source knows no database: it asks this protocol which of the rows it read are worth loading.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import pyarrow as pa


class Comparison(Protocol):
    """The rows worth loading, and how many of those read were new, changed and unchanged."""

    @property
    def rows(self) -> pa.Table:
        """The rows worth loading."""

    @property
    def new(self) -> int:
        """Rows never seen before."""

    @property
    def changed(self) -> int:
        """Rows that differ from what is stored."""

    @property
    def unchanged(self) -> int:
        """Rows that are stored already."""


class AllNew(NamedTuple):
    """A comparison with nothing."""

    rows: pa.Table
    new: int
    changed: int = 0
    unchanged: int = 0


class Stored(Protocol):
    """Rows of `raw` as they stand before this run."""

    def count(self, table: str) -> int | None:
        """How many rows `table` holds; 0 when it does not exist, None when unknown."""

    def compare(self, table: str, rows: pa.Table) -> Comparison:
        """Which of `rows` differ from what `table` holds under the same id."""

    def compare_listing(self, table: str, rows: pa.Table) -> Comparison:
        """All of `rows` when the listing differs in anything from the newest one, else none."""


class NothingStored:
    """For a source used without a warehouse to ask: every row is worth loading."""

    def count(self, table: str) -> int | None:  # noqa: ARG002 - the protocol's shape
        """Unknown."""
        return None

    def compare(self, table: str, rows: pa.Table) -> Comparison:  # noqa: ARG002 - likewise
        """All of them."""
        return AllNew(rows, rows.num_rows)

    compare_listing = compare
