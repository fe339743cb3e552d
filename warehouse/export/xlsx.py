"""Workbooks for Excel, a sheet a table.

Text is never a formula, a link or a number. Dates and times are Excel's own, times in UTC with a
`Z` behind them, to the millisecond: Excel has no finer ones, and no time zones. What a cell cannot
hold exactly (numbers of more than 15 digits, dates before 1900-03-01) is text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import xlsxwriter

from ..errors import ExportError
from . import values
from .relation import Column

MOST_ROWS = 1_048_576
MOST_COLUMNS = 16_384
LONGEST = 32_767
"""Characters of a cell, as UTF-16 counts them."""
CUT = " [cut: longer than a cell of Excel]"

_EXACT = 2**53
_DAY = 86_400_000_000  # microseconds
_EPOCH = 25_569  # 1970-01-01 in Excel's days
_FIRST, _LAST = 61, 2_958_466  # 1900-03-01, before which Excel counts a day too many; 10000-01-01
_FORBIDDEN = str.maketrans(dict.fromkeys("[]:*?/\\", "_"))
_SHEET = 31  # characters of a sheet's name


class _Exact(float):
    """A number that xlsxwriter writes with all its digits, not with 16 of the 17 it may need."""

    def __format__(self, spec: str) -> str:
        return repr(float(self))


class Workbook:
    """A file of sheets. `temporary` is a folder for what xlsxwriter keeps until it is closed."""

    def __init__(self, path: Path, temporary: Path) -> None:
        self._book = xlsxwriter.Workbook(
            str(path), {"constant_memory": True, "tmpdir": str(temporary)}
        )
        self._bold = self._book.add_format({"bold": True})
        self._names: set[str] = set()
        formats = {
            "date": "yyyy-mm-dd",
            "time": "hh:mm:ss",
            "timestamp": "yyyy-mm-dd hh:mm:ss",
            values.TIMESTAMP_TZ: 'yyyy-mm-dd hh:mm:ss"Z"',
        }
        self._formats = {
            kind: self._book.add_format({"num_format": form}) for kind, form in formats.items()
        }

    def sheet(self, name: str, columns: Sequence[Column]) -> Sheet:
        """A new sheet with a row of headers. Raises ExportError for too many columns."""
        if len(columns) > MOST_COLUMNS:
            raise ExportError(
                f"{name} has {len(columns):,} columns, and a sheet of Excel {MOST_COLUMNS:,}.",
                "Choose some with --columns.",
            )
        sheet = self._book.add_worksheet(self._name(name))
        sheet.freeze_panes(1, 0)
        for place, column in enumerate(columns):
            sheet.write_string(0, place, _fit(column.header)[0], self._bold)
        formats = [
            self._formats.get("timestamp" if c.type.id in values.TIMESTAMPS else c.type.id)
            for c in columns
        ]
        return Sheet(name, sheet, formats)

    def close(self) -> None:
        """Write the file."""
        try:
            self._book.close()
        except xlsxwriter.exceptions.FileCreateError as error:  # hides what the disk said
            raise (error.__context__ or error) from None

    def abandon(self) -> None:
        """Let go of a file that is not wanted: xlsxwriter would write it at its end."""
        self._book.fileclosed = True
        for sheet in self._book.worksheets():
            with suppress(OSError, AttributeError):  # the disk may be what is wrong
                sheet.row_data_fh.close()

    def _name(self, name: str) -> str:
        name = name.translate(_FORBIDDEN).strip("'") or "sheet"
        shown, number = name[:_SHEET], 1
        while shown.casefold() in self._names:
            number += 1
            shown = name[: _SHEET - len(str(number)) - 1] + f"_{number}"
        self._names.add(shown.casefold())
        return shown


class Sheet:
    """A sheet that rows are written to; `cut` counts the cells that were too long."""

    def __init__(self, name: str, sheet: Any, formats: Sequence[Any]) -> None:
        self.rows = 0
        self.cut = 0
        self._name = name
        self._sheet = sheet
        self._formats = formats

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows. Raises ExportError where the sheet is full."""
        if self.rows + 1 + batch.num_rows > MOST_ROWS:
            raise ExportError(
                f"{self._name} has more rows than a sheet of Excel holds ({MOST_ROWS - 1:,}).",
                "Export it as csv or parquet, or in parts with --partition-by.",
            )
        columns = [_cells(column) for column in batch.columns]
        sheet, formats = self._sheet, self._formats
        for row, record in enumerate(zip(*columns, strict=True), self.rows + 1):
            for place, value in enumerate(record):
                if value is None:
                    continue
                if isinstance(value, str):
                    text, is_cut = _fit(value)
                    self.cut += is_cut
                    if sheet.write_string(row, place, text):  # nothing of a full sheet is lost
                        raise ExportError(f"{self._name}: a cell was refused.", "")
                elif isinstance(value, bool):
                    sheet.write_boolean(row, place, value)
                else:
                    sheet.write_number(row, place, value, formats[place])
        self.rows += batch.num_rows

    def close(self) -> None:
        """The workbook writes it."""


def _cells(column: pa.Array) -> list[Any]:
    """Values as a cell takes them: text, booleans, and numbers, which dates and times are too."""
    kind = column.type
    convert: Callable[[Any], Any] | None = None
    if pa.types.is_timestamp(kind):
        column, zone = column.cast(pa.int64()), "Z" if kind.tz else ""
        convert = lambda us: _moment(us, zone)  # noqa: E731 - closes over the zone
    elif pa.types.is_date(kind):
        column, convert = column.cast(pa.int32()), _date
    elif pa.types.is_time(kind):
        column, convert = column.cast(pa.int64()), lambda us: _Exact(us / _DAY)
    elif pa.types.is_integer(kind):
        convert = lambda number: number if abs(number) <= _EXACT else str(number)  # noqa: E731 - as above
    elif pa.types.is_floating(kind):
        convert = lambda number: _Exact(number) if np.isfinite(number) else str(number)  # noqa: E731 - as above
    elif pa.types.is_decimal(kind):
        convert = _decimal
    found: list[Any] = column.to_pylist()
    if convert is None:
        return found
    return [None if value is None else convert(value) for value in found]


def _decimal(number: Decimal) -> _Exact | str:
    exact = _Exact(number)
    return exact if Decimal(repr(float(exact))) == number else str(number)


def _date(days: int) -> int | str:
    serial = days + _EPOCH
    return serial if _FIRST <= serial < _LAST else str(np.datetime64(days, "D"))


def _moment(us: int, zone: str) -> _Exact | str:
    if _FIRST <= us // _DAY + _EPOCH < _LAST:
        return _Exact(us / _DAY + _EPOCH)
    return str(np.datetime64(us, "us")) + zone


def _fit(text: str) -> tuple[str, bool]:
    """Text that fits a cell, and whether it had to be cut."""
    if len(text) <= LONGEST // 2 or len(text.encode("utf-16-le")) // 2 <= LONGEST:
        return text, False
    room = LONGEST - len(CUT)
    kept = text.encode("utf-16-le")[: 2 * room].decode("utf-16-le", "ignore")
    return kept + CUT, True
