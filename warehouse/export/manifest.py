"""`manifest.json`: what an export wrote, for whoever takes the files; written last.

In a folder it tells of every table exported there, each with its own time and run, as long as its
files are there; beside a single file `leads.csv` it is `leads.csv.manifest.json`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import PurePosixPath
from typing import Any

import msgspec

from ..errors import ExportError
from .places import Place

FILE = "manifest.json"
VERSION = 1
_MADE_BY = "pipeduck"


@dataclass(frozen=True)
class File:
    """One file: its path relative to the manifest, and what it holds."""

    path: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Described:
    """A column of a file: `header` is what it is called there, `type` what it is in DuckDB."""

    name: str
    header: str
    type: str


@dataclass(frozen=True)
class Entry:
    """A table, or a query, as it was exported once."""

    table: str
    format: str
    exported_time: str
    run_id: str | None
    """The newest run in the published file; None where there was none."""
    rows: int
    columns: list[Described]
    files: list[File]
    query: str | None = None
    partition_by: list[str] = field(default_factory=list)
    order_by: list[str] = field(default_factory=list)
    changed_since: str | None = None
    """`last` or a time: these are changes, with `_change` behind the columns."""
    is_whole: bool = True
    """Whether it holds every row: also the first export of changes, and a table without times."""
    changes: dict[str, int] = field(default_factory=dict)
    """How many rows were created, updated and deleted, in an export of changes."""
    is_labelled: bool = False
    is_safe_csv: bool = False
    cut_cells: int = 0
    """Cells longer than Excel takes, in xlsx."""


class Manifest:
    """The entries of one manifest. `name` is that of its file."""

    def __init__(self, place: Place, name: str, entries: list[Entry]) -> None:
        self.name = name
        self._place = place
        self.entries = entries

    @classmethod
    def read(cls, place: Place, name: str) -> Manifest:
        """The manifest that is there, or an empty one. Raises ExportError where it is not ours."""
        found = place.read(name)
        if found is None:
            return cls(place, name, [])
        try:
            document = json.loads(found)
            if document["made_by"] != _MADE_BY:
                raise ValueError(document["made_by"])  # noqa: TRY301 - told below, like the others
            entries = msgspec.convert(document["tables"], list[Entry])
        except (ValueError, KeyError, TypeError) as error:  # msgspec's is a ValueError
            raise ExportError(
                f"{name} in {place.shown} is not a manifest of pipeduck.",
                "It was left as it is: choose another folder, or move it away.",
            ) from error
        return cls(place, name, entries)

    def take(self, new: list[Entry]) -> list[str]:
        """Put in what was exported now; returns the files that this replaced and that are left.

        A whole table takes the place of the one before in the same format. Changes stand beside
        those of before. What has no files any more is forgotten.
        """
        written = {file.path for entry in new for file in entry.files}
        replaced = {(e.table, e.format) for e in new if e.changed_since is None}
        kept, old = [], set()
        for entry in self.entries:
            is_replaced = entry.changed_since is None and (entry.table, entry.format) in replaced
            paths = {file.path for file in entry.files}
            if is_replaced:
                old |= {path for path in paths - written if _is_within(path)}
            elif not paths & written and any(
                _is_within(path) and self._place.exists(path) for path in paths
            ):
                kept.append(entry)
        self.entries = sorted(
            [*kept, *new], key=lambda entry: (entry.table, entry.format, entry.exported_time)
        )
        return sorted(old - {file.path for entry in kept for file in entry.files})

    def as_json(self, version: str) -> str:
        """The text of the file. `version` is pipeduck's."""
        document: dict[str, Any] = {
            "made_by": _MADE_BY,
            "manifest_version": VERSION,
            "version": version,
            "exported_time": max((entry.exported_time for entry in self.entries), default=None),
            "times": "UTC, ISO 8601",
            "tables": [asdict(entry) for entry in self.entries],
        }
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _is_within(path: str) -> bool:
    """Whether a path of a manifest, which anybody can write, stays in its folder."""
    parts = PurePosixPath(path)
    return not parts.is_absolute() and ".." not in parts.parts and "\\" not in path
