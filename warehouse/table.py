"""Rows for reading: a table that fits the terminal, or a block a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from .query import Result
from .values import as_cell

if TYPE_CHECKING:
    from rich.table import Table

SHOWN = 100
"""Rows that are shown of many."""

_NARROW = 30  # characters that a column of a table gets at least, where it has as many
_BETWEEN = 3  # characters between two columns
_BLOCKS = 5  # rows that are written as blocks where their columns do not fit
_ENDLESS = 32_000  # characters of a line where there is no terminal
_NUMBERS = ("bigint", "double", "decimal", "integer", "hugeint", "ubigint", "float")


def is_number(kind: str) -> bool:
    """Whether a SQL type is one of numbers."""
    return kind.lower().startswith(_NUMBERS) and not kind.endswith("]")


def short_type(kind: str) -> str:
    """A SQL type as people write it."""
    return kind.lower().replace("timestamp with time zone", "timestamptz")


def write_table(result: Result, stream: TextIO, *, shown: int = SHOWN) -> int:
    """A table with types under the names; the first `shown` rows of many. Returns how many are.

    On a terminal that is too narrow few rows are written as blocks, one column a line; of many
    rows those columns are shown that fit. A line at the end says what is not shown.
    """
    from rich.console import Console

    rows = 0
    cells: list[list[str]] = []
    for batch in result.batches:
        cells += [[as_cell(value) for value in row] for row in batch[: max(0, shown - rows)]]
        rows += len(batch)
    console = Console(
        file=stream, width=None if stream.isatty() else _ENDLESS, highlight=False, markup=False
    )
    types = [short_type(kind) for kind in result.types]
    fitting = _fitting(result.columns, types, cells, console.width)
    total = len(result.columns)
    if fitting < total and len(cells) <= _BLOCKS:
        fitting = total
        for number, row in enumerate(cells, 1):
            console.print(_block(number, result.columns, row))
    else:
        fitting = max(1, fitting)
        console.print(
            _table(result.columns[:fitting], types[:fitting], [row[:fitting] for row in cells])
        )
    left_out = [
        f"{part:,} of {whole:,} {what}"
        for part, whole, what in ((len(cells), rows, "rows"), (fitting, total, "columns"))
        if part < whole
    ]
    if left_out:
        console.print(f"{' and '.join(left_out)} shown")
    return rows


def _fitting(
    columns: Sequence[str], types: Sequence[str], cells: Sequence[Sequence[str]], width: int
) -> int:
    """How many columns, from the first, have room side by side, long values folded."""
    used = 0
    for number, (name, kind) in enumerate(zip(columns, types, strict=True)):
        values = (_widest(row[number]) for row in cells)
        used += max(len(name), len(kind[:_NARROW]), *values, 0) + _BETWEEN
        if used > width:
            return number
    return len(columns)


def _widest(text: str) -> int:
    from rich.cells import cell_len

    return min(_NARROW, max(map(cell_len, text.split("\n"))))


def _table(columns: Sequence[str], types: Sequence[str], cells: Sequence[Sequence[str]]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, kind in zip(columns, types, strict=True):
        table.add_column(
            Text.assemble((name, "bold"), "\n", (kind, "dim"))
            if any(types)
            else Text(name, style="bold"),
            justify="right" if is_number(kind) else "left",
            overflow="fold",
        )
    for row in cells:
        table.add_row(*map(Text, row))
    return table


def _block(number: int, columns: Sequence[str], row: Sequence[str]) -> Table:
    from rich.table import Table
    from rich.text import Text

    block = Table(
        title=f"row {number}", title_justify="left", box=None, show_header=False, pad_edge=False
    )
    block.add_column(style="bold")
    block.add_column(overflow="fold")
    for name, value in zip(columns, row, strict=True):
        block.add_row(Text(name), Text(value))
    return block
