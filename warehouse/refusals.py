"""What DuckDB's and the disk's refusals mean for the person who wanted something."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from pathlib import Path

import duckdb

from .errors import DiskFull, KeyRefused, WarehouseError, WarehouseLocked, WarehouseUnusable

_HOLDER = re.compile(r"held in (?P<program>[^(]+?)\s*\(PID (?P<pid>\d+)\)")
_LOOK = "Wait for it or close it; to look at data, open the published file instead."
_KEY = "encryption_key under [warehouse] must be the one that the file was made with."

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_ROOM_TEXTS = (
    "No space left on device",
    "Disk quota exceeded",
    "File too large",
    "There is not enough space on the disk",
    "max_temp_directory_size",
)
_WRITTEN = re.compile(r'file "(?P<file>[^"]+)"')


def explain(path: Path, error: duckdb.Error) -> WarehouseError:
    """DuckDB's refusal to open `path`, in a sentence."""
    text = str(error)
    if "lock on file" in text:
        holder = _HOLDER.search(text)
        who = f" ({holder['program']}, pid {holder['pid']})" if holder else ""
        return WarehouseLocked(f"{path} is open in another process{who}.", _LOOK)
    if "different configuration" in text or "Unique file handle conflict" in text:
        return WarehouseLocked(f"{path} is open elsewhere in this same process.", _LOOK)
    if "without a key" in text:
        return KeyRefused(f"{path} is encrypted, and no key is configured.", _KEY)
    if "Wrong encryption key" in text:
        return KeyRefused(f"{path} is encrypted with another key than the configured one.", _KEY)
    if "is not encrypted" in text:
        return WarehouseUnusable(
            f"{path} is not encrypted, but encryption_key is configured.",
            "docs/security.md has the two lines of SQL that encrypt it.",
        )
    if "read-only crypto module" in text:
        return WarehouseUnusable(
            f"{path} cannot be written encrypted: DuckDB's httpfs extension, which brings OpenSSL, "
            "is not installed.",
            "pip install 'pipeduck[encryption]' brings it; see docs/security.md.",
        )
    if "not a valid DuckDB database" in text or "is a directory" in text.lower():
        return WarehouseUnusable(
            f"{path} is not a DuckDB file.",
            "It was left as it is; choose another path under [warehouse].",
        )
    if "version number" in text:
        return WarehouseUnusable(
            f"{path} was written by a newer DuckDB than this one ({duckdb.__version__}).",
            "Upgrade pipeduck's duckdb, or write the file with DuckDB 1.5.",
        )
    if full := find_full_disk(error):
        return full
    first_line = text.splitlines()[0] if text else type(error).__name__
    return WarehouseUnusable(
        f"{path} cannot be opened: {first_line}", "Check that this user may read and write there."
    )


def find_full_disk(error: BaseException) -> DiskFull | None:
    """The full disk behind `error`, or behind what caused it; None where it is something else."""
    for cause in _causes(error):
        if isinstance(cause, DiskFull):
            return cause
        text = str(cause)
        is_full = (
            cause.errno in _NO_ROOM
            if isinstance(cause, OSError) and cause.errno
            else isinstance(cause, duckdb.Error | OSError)
            and any(known in text for known in _NO_ROOM_TEXTS)
        )
        if is_full:
            written = _WRITTEN.search(text)
            file = getattr(cause, "filename", None) or (written and written["file"])
            return DiskFull(
                f"The disk is full: {file} cannot be written."
                if file
                else "The disk is full, or a quota is reached.",
                "What was committed before is kept, the published file is as it was. Make room; "
                "the next run goes on from there.",
            )
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """`error` and what it came from, outermost first."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__
