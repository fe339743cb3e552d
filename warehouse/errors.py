"""What can go wrong with the DuckDB file and the SQL that runs in it.

```
WarehouseError          exit 1
├── WarehouseLocked     exit 75   another process holds the file
├── AlreadyRunning      exit 75   another run of pipeduck works on the file
├── DiskFull            exit 75   no space left, or a quota reached
├── WarehouseUnusable   exit 2    not a DuckDB file, no permission, no folder, newer format
├── KeyRefused          exit 77   the file is encrypted, and not with the key that is configured
├── NothingLoaded       exit 2    there is no working file yet
├── NothingPublished    exit 2    there is no published file yet
├── QueryError          exit 2    the SQL a person gave does not run
├── ExportError         exit 2    what is to be exported, or where to, cannot be
│   └── PlaceUnreachable exit 75  an address does not answer, or breaks off
├── ModelError          exit 1    a transform does not parse or run
└── ColumnNameError     exit 2    a column name given in config.toml cannot be used
```

Every error is one sentence on what is wrong (`message`), one on what to do (`hint`), and the
`exit_code` a command ends with.
"""

from __future__ import annotations


class WarehouseError(Exception):
    """Base of the tree above."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class WarehouseLocked(WarehouseError):
    """Another process holds the file open for writing, or holds it open while we want to write."""

    exit_code = 75


class AlreadyRunning(WarehouseError):
    """A run, a reconcile, a transform or a prune of the same working file is going on."""

    exit_code = 75


class DiskFull(WarehouseError):
    """There is no room for what has to be written.

    Nothing that is configured is wrong, and a run that comes after somebody made room goes on from
    the last state: so it is tried again later.
    """

    exit_code = 75


class WarehouseUnusable(WarehouseError):
    """The path does not hold, or cannot hold, a DuckDB file that this DuckDB can open."""

    exit_code = 2


class KeyRefused(WarehouseError):
    """The file is encrypted, and no key or another one is configured."""

    exit_code = 77


class NothingLoaded(WarehouseError):
    """The working file does not exist yet: no run has begun so far."""

    exit_code = 2


class NothingPublished(WarehouseError):
    """The published file does not exist yet: no run has ended well so far."""

    exit_code = 2


class QueryError(WarehouseError):
    """A query given by a person does not parse, or names what is not there."""

    exit_code = 2


class ExportError(WarehouseError):
    """An export that cannot be: a table or a column that is not there, a place, a format."""

    exit_code = 2


class PlaceUnreachable(ExportError):
    """An address that exports go to does not answer, or broke off."""

    exit_code = 75


class ModelError(WarehouseError):
    """A model in `transforms/sql` has a bad header, an unknown dependency, or does not run."""


class ColumnNameError(WarehouseError):
    """An explicit column name in `[transforms.columns.*]` is not usable or is taken."""

    exit_code = 2
