"""Where exports go: a folder or a file of this machine, or an address that fsspec knows.

Files are made in a folder of their own beside their place, with names that no pattern for data
matches, and moved when they are whole: whoever looks finds the old file, the new one, or none.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

from ..errors import ExportError, PlaceUnreachable
from ..files import ensure_folder, is_alive, private_files, replace_file

_STAGING = re.compile(r"\.pipeduck-export\.(?P<pid>\d+)-[0-9a-f]{8}\.tmp")
_DAY = 86_400.0  # seconds
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+(::|://)")
# a put shows nothing until it is complete, and a move would copy
_OBJECT_STORES = frozenset(
    {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oss", "oci", "tos", "obs", "hf"}
)


class Place(Protocol):
    """A folder, with names in it that are relative and have `/` between folders."""

    shown: str
    """For people: without user and password."""
    identity: str
    """The same for the same place, whatever it is called in a command."""

    def stage(self, fallback: Path) -> Path:
        """Where to make files: a folder on the same file system where that can be."""

    def put(self, file: Path, name: str) -> None:
        """Move a finished file to its place."""

    def read(self, name: str) -> bytes | None:
        """A small file; None where there is none."""

    def exists(self, name: str) -> bool:
        """Whether there is a file of this name."""

    def remove(self, name: str) -> None:
        """Remove a file, and the folders that are empty then. It may be gone already."""


def is_address(out: str) -> bool:
    """Whether `out` is an address for fsspec and not a path."""
    return bool(_ADDRESS.match(out)) and not out.lower().startswith("file://")


def local_path(out: str) -> Path:
    """The path that `out` is; also of a `file://` address. A link stays a link."""
    if out.lower().startswith("file://"):
        from urllib.request import url2pathname

        out = url2pathname(out[len("file://") :])
    return Path(out).expanduser().resolve()


class LocalPlace:
    """A folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shown = str(folder)
        self.identity = folder.as_uri()

    def stage(self, fallback: Path) -> Path:  # noqa: ARG002 - it is on the same file system
        """Where to make files."""
        ensure_folder(self.folder)
        return self.folder

    def put(self, file: Path, name: str) -> None:
        """Move a finished file to its place, at once."""
        target = self.folder / name
        ensure_folder(target.parent)
        replace_file(file, target)

    def read(self, name: str) -> bytes | None:
        """A small file; None where there is none."""
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def exists(self, name: str) -> bool:
        """Whether there is a file of this name."""
        return (self.folder / name).exists()

    def remove(self, name: str) -> None:
        """Remove a file, and the folders that are empty then."""
        (self.folder / name).unlink(missing_ok=True)
        for folder in PurePosixPath(name).parents:
            if folder != PurePosixPath("."):
                with suppress(OSError):  # something else is in it
                    (self.folder / folder).rmdir()


class RemotePlace:
    """A folder at an address of fsspec: `s3://bucket/path`, `sftp://…`, `memory://…`.

    Credentials are those that fsspec and its packages find by themselves, or in the address. What
    cannot be replaced in one step there is written under a temporary name and moved.
    """

    def __init__(self, address: str) -> None:
        self.shown = self.identity = without_user(address)
        self._is_atomic = _protocol(address) in _OBJECT_STORES
        with self._told(address):
            import fsspec

            self._files: Any
            self._files, root = fsspec.core.url_to_fs(address)
            self._root = str(root).rstrip("/")

    def stage(self, fallback: Path) -> Path:
        """Where to make files: `fallback`, or this machine's folder for temporary ones."""
        return fallback if os.access(fallback, os.W_OK) else Path(tempfile.gettempdir())

    def put(self, file: Path, name: str) -> None:
        """Upload a finished file."""
        target = self._at(name)
        beside = f"{target.rpartition('/')[0]}/.{target.rpartition('/')[2]}.pipeduck.tmp"
        with self._told(self.shown):
            self._files.makedirs(target.rpartition("/")[0], exist_ok=True)
            if self._is_atomic:
                self._files.put_file(str(file), target)
                return
            self._files.put_file(str(file), beside)
            self._files.mv(beside, target)

    def read(self, name: str) -> bytes | None:
        """A small file; None where there is none."""
        with self._told(self.shown):
            try:
                return bytes(self._files.cat_file(self._at(name)))
            except FileNotFoundError:
                return None

    def exists(self, name: str) -> bool:
        """Whether there is a file of this name."""
        with self._told(self.shown):
            return bool(self._files.exists(self._at(name)))

    def remove(self, name: str) -> None:
        """Remove a file."""
        with self._told(self.shown), suppress(FileNotFoundError):
            self._files.rm_file(self._at(name))

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}"

    @contextmanager
    def _told(self, address: str) -> Iterator[None]:
        """What fsspec and its many packages raise, in a sentence without user and password."""
        try:
            yield
        except ImportError as error:
            raise ExportError(
                f"{self.shown} needs a package that is not installed.",
                f"{_first_line(error)} (with pip, into the environment of pipeduck).",
            ) from error
        except ValueError as error:
            if "rotocol" not in str(error):
                raise
            raise ExportError(
                f"{_protocol(address)}:// is no protocol that fsspec knows.",
                "It is a folder, a file, or an address such as s3://bucket/folder, which needs "
                "pip install s3fs.",
            ) from error
        except PermissionError as error:
            raise ExportError(
                f"{self.shown} refuses: {_without(address, _first_line(error))}",
                "Check the credentials and what they may do there.",
            ) from error
        except Exception as error:  # each of these packages has errors of its own
            raise PlaceUnreachable(
                f"{self.shown} cannot be used: {_without(address, _first_line(error))}",
                "What was there before is there still, as far as it was not replaced; try again "
                "later.",
            ) from error


@contextmanager
def staging(base: Path) -> Iterator[Path]:
    """A folder in `base` for files in the making, removed at the end, with those of killed exports.

    Raises OSError.
    """
    _remove_leftovers(base)
    folder = base / f".pipeduck-export.{os.getpid()}-{secrets.token_hex(4)}.tmp"
    with private_files():
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def without_user(address: str) -> str:
    """An address without user, password and query, which may hold secrets; a path as it is."""
    if "://" not in address:
        return address
    parts = urlsplit(address)
    netloc = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, netloc, parts.path, "", ""))


def _remove_leftovers(base: Path) -> None:
    """Remove what exports that were killed left; of a live process only after a day."""
    for folder in base.iterdir():
        found = _STAGING.fullmatch(folder.name)
        with suppress(OSError):  # gone meanwhile, or not ours to remove
            if (
                found
                and folder.is_dir()
                and not folder.is_symlink()
                and (os.name == "nt" or folder.stat().st_uid == os.geteuid())
                and _is_left(int(found["pid"]), time.time() - folder.stat().st_mtime)
            ):
                shutil.rmtree(folder)


def _is_left(pid: int, age: float) -> bool:
    return age > _DAY or not is_alive(pid)


def _protocol(address: str) -> str:
    return re.split("::|://", address)[0].lower()


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0]


def _without(address: str, text: str) -> str:
    """`text` without what an address has before its host and behind its path."""
    parts = urlsplit(address)
    for secret in (parts.netloc.rpartition("@")[0], parts.password, parts.query):
        if secret:
            text = text.replace(secret, "***")
    return text
