"""Files on disk: who may read them, and how one takes the place of another."""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import WarehouseUnusable

PUBLISHED_MODE = 0o640
"""Of a published file that is new; one that is replaced keeps the mode it has."""

_PRIVATE = 0o077  # the umask: what we write is for its owner
_FULL = 0o777
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class _Umask:
    """The umask is the process's: the first to ask changes it, the last one puts it back."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._users = 0
        self._usual = 0

    def tighten(self) -> None:
        with self._guard:
            if not self._users:
                self._usual = os.umask(_PRIVATE)
            self._users += 1

    def restore(self) -> None:
        with self._guard:
            self._users -= 1
            if not self._users:
                os.umask(self._usual)

    def usual(self) -> int:
        """What this user's files are masked with when they are nothing secret."""
        with self._guard:
            if self._users:
                return self._usual
            mask = os.umask(_PRIVATE)
            os.umask(mask)
            return mask


_umask = _Umask()


@contextmanager
def private_files() -> Iterator[None]:
    """Files made meanwhile, by whatever library, are for their owner only from the beginning."""
    _umask.tighten()
    try:
        yield
    finally:
        _umask.restore()


def ensure_folder(folder: Path) -> None:
    """Make `folder` and those above it, as open as this user's folders usually are.

    Raises OSError.
    """
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    for place in reversed(missing):
        place.mkdir(exist_ok=True)
        place.chmod(_FULL & ~_umask.usual())
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))


def ensure_working_folder(path: Path) -> None:
    """The folder of a working file. Raises WarehouseUnusable."""
    try:
        ensure_folder(path.parent)
    except OSError as error:
        raise WarehouseUnusable(
            f"The folder {path.parent} cannot be made: {error.strerror}.",
            "Set path under [warehouse] to a place this user may write to.",
        ) from error


def find_wide(*paths: Path) -> list[str]:
    """A sentence for each of the files that others than its owner may read or write.

    Meant for the working file, what lies beside it, and secrets; what does not exist is passed
    over, and so is everything where files have no such modes (Windows).
    """
    if os.name == "nt":
        return []
    warnings = []
    for path in paths:
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
        except OSError:
            continue
        if mode & _OTHERS:
            who = "everybody" if mode & stat.S_IRWXO else "its group"
            narrow = mode & ~_OTHERS
            warnings.append(
                f"{path} is open to {who} on this machine (mode {mode:04o}): chmod {narrow:o} it."
            )
    return warnings


def working_files(path: Path) -> list[Path]:
    """What there is of a working file: itself, its log, dlt's folder, the lock and its note."""
    return [
        path,
        path.with_name(f"{path.name}.wal"),
        load_folder(path),
        lock_file(path),
        note_file(path),
    ]


def load_folder(path: Path) -> Path:
    """Where dlt keeps packages under way, unencrypted; safe to delete between runs."""
    return path.with_name(f".{path.name}.dlt")


def lock_file(path: Path) -> Path:
    """The lock of a working file; it stays, and says nothing by being there."""
    return path.with_name(f".{path.name}.lock")


def note_file(path: Path) -> Path:
    """What the holder of the lock says of itself."""
    return path.with_name(f".{path.name}.run.json")


def replace_file(beside: Path, path: Path) -> None:
    """Put the finished file `beside` in the place of `path`, which is in the same folder.

    It survives a loss of power: on disk before it gets its name, and the name as well. Keeps the
    mode and the group of the file it replaces; a new one is for owner and group. Raises OSError.
    """
    try:
        before = path.stat()
        beside.chmod(stat.S_IMODE(before.st_mode))
        if os.name != "nt" and before.st_gid != beside.stat().st_gid:
            with suppress(PermissionError):  # a group this user is not in
                os.chown(beside, -1, before.st_gid)
    except FileNotFoundError:
        beside.chmod(PUBLISHED_MODE)
    with beside.open("rb+") as written:
        os.fsync(written.fileno())
    beside.replace(path)
    if os.name != "nt":  # where a folder cannot be opened
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            with suppress(OSError):  # some network file systems cannot
                os.fsync(folder)
        finally:
            os.close(folder)


def write_private(path: Path, text: str) -> None:
    """Write a small file for its owner only, whole or not at all. Raises OSError."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with private_files():
            beside.write_text(text, "utf-8")
        path.touch(0o600)
        path.chmod(0o600)
        replace_file(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def is_alive(pid: int) -> bool:
    """Whether a process of this number is there; True where that cannot be asked without harm."""
    if os.name == "nt":  # os.kill ends a process there
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True  # somebody else's
    return True
