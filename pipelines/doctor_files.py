"""The doctor's checks of files: working file, published file, room, rights, the last runs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path

from warehouse.connect import open_published, open_working_read_only
from warehouse.errors import NothingPublished
from warehouse.files import find_wide, working_files
from warehouse.lock import find_running

from .config import Settings
from .findings import Finding, checked, ok, problem, warning
from .moments import ago, shown
from .status import read_status

_PUBLISHED_OTHERS = 0o007  # a group may read the published file, everybody may not
_LEAST_FREE = 100_000_000  # bytes: less than this is short for any run
_OLD_HOURS = 48


def file_findings(settings: Settings) -> Iterator[Iterator[Finding]]:
    """One iterator a check."""
    yield checked("working file", lambda: _working(settings))
    yield checked("room", lambda: _room(settings))
    yield checked("rights", lambda: _rights(settings))
    yield checked("published file", lambda: _published(settings))
    yield checked("last runs", lambda: _last_runs(settings))


def _working(settings: Settings) -> Iterator[Finding]:
    path = settings.warehouse.path
    if running := find_running(path):
        yield problem("working file", f"{running.text}: another one has to wait.", 75)
        return
    if not path.exists():
        yield ok("working file", f"{path} is not there yet: the first run makes it")
        return
    with open_working_read_only(path, key=settings.warehouse.encryption_key):
        pass
    yield ok("working file", f"{path} opens, {_size(path.stat().st_size)}, nobody holds it")


def _room(settings: Settings) -> Iterator[Finding]:
    """A publish makes a copy beside the published file, a load and a transform grow the other."""
    warehouse = settings.warehouse
    needed: dict[Path, int] = {}
    for path in (warehouse.path, warehouse.publish):
        folder = _nearest(path.parent)
        size = path.stat().st_size if path.is_file() else 0
        needed[folder] = needed.get(folder, 0) + size
    for folder, size in needed.items():
        free = shutil.disk_usage(folder).free
        if free < max(size, _LEAST_FREE):
            yield warning(
                "room",
                f"{_size(free)} are free in {folder}, and the files have {_size(size)}: a run may "
                "need as much again.",
            )
        else:
            yield ok("room", f"{_size(free)} are free in {folder}")


def _rights(settings: Settings) -> Iterator[Finding]:
    warehouse = settings.warehouse
    wide = find_wide(*working_files(warehouse.path))
    if warehouse.publish.is_file() and warehouse.publish.stat().st_mode & _PUBLISHED_OTHERS:
        wide += find_wide(warehouse.publish)
    for text in wide:
        yield warning("rights", text)
    if not wide:
        yield ok("rights", "no other user of this machine can read or write the files")


def _published(settings: Settings) -> Iterator[Finding]:
    path = settings.warehouse.publish
    try:
        with open_published(path, key=settings.warehouse.encryption_key) as connection:
            connection.execute("select count(*) from sync_runs")
    except NothingPublished:
        yield ok("published file", f"{path} is not there yet: the first run makes it")
        return
    made = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    yield ok("published file", f"{path} opens, last changed {ago(made)}")


def _last_runs(settings: Settings) -> Iterator[Finding]:
    if not settings.warehouse.path.is_file() and not settings.warehouse.publish.is_file():
        yield ok("last runs", "there was none yet")
        return
    running = find_running(settings.warehouse.path)
    here = running.run_id if running else None
    runs = [run for run in read_status(settings).runs if run["outcome"] or run["run_id"] != here]
    failed = list(takewhile(lambda run: run["outcome"] != "ok", runs))
    if not runs:
        yield ok("last runs", "none has ended yet")
    elif failed:
        many = "the last run" if len(failed) == 1 else f"the last {len(failed)} runs"
        yield warning(
            "last runs",
            f"{many} did not end well: {failed[0]['outcome'] or 'interrupted'}, "
            f"{failed[0]['error'] or 'killed, or the machine went down'}",
        )
    else:
        yield ok("last runs", f"the last one ended well, {shown(runs[0]['ended_time'])}")
        hours = (datetime.now(UTC) - runs[0]["started_time"]).total_seconds() / 3600
        if hours > _OLD_HOURS:
            yield warning("last runs", f"it was {ago(runs[0]['started_time'])}: is it scheduled?")


def _nearest(folder: Path) -> Path:
    """`folder`, or what there is of it."""
    return next((place for place in (folder, *folder.parents) if place.is_dir()), Path("/"))


def _size(size: int) -> str:
    for unit in ("bytes", "KB", "MB", "GB"):
        if size < 10_000:
            return f"{size:,} {unit}"
        size //= 1000
    return f"{size:,} TB"
