"""What can go wrong with how pipeduck is called and configured, and how any error is told.

```
PipelineError           exit 1
├── ConfigError         exit 2    config.toml or the environment: every problem at once
├── ClockBehind         exit 75   this machine's clock is behind the last load
├── SchedulerRunning    exit 75   `schedule run` already works on the same file
├── LoadFailed          exit 1    a package could not be written to raw
├── Partial             exit 3    something could not be read, the rest is loaded and published
└── Refused             exit 4    a data check or the guard of deletions says no
```

The errors of `sources` and `warehouse` have the same three parts: `message`, `hint`, `exit_code`.
"""

from __future__ import annotations

from typing import Protocol, TypeGuard, runtime_checkable


class PipelineError(Exception):
    """Base of the tree above."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigError(PipelineError):
    """Keys that do not exist, or values that do not fit."""

    exit_code = 2


class ClockBehind(PipelineError):
    """Packages are told apart by the time of their load; a new one must be the newest."""

    exit_code = 75


class SchedulerRunning(PipelineError):
    """Another loop starts the runs of this working file."""

    exit_code = 75


class LoadFailed(PipelineError):
    """dlt could not write a package: a full disk, a table somebody changed by hand."""


class Partial(PipelineError):
    """An entity could not be read; the others are loaded and published."""

    exit_code = 3


class Refused(PipelineError):
    """A check of the data failed, or too much would be marked as deleted."""

    exit_code = 4


@runtime_checkable
class Told(Protocol):
    """An error made for people."""

    message: str
    hint: str
    exit_code: int


def is_told(error: BaseException) -> TypeGuard[Told]:
    """Whether `error` speaks for itself; anything else is unexpected."""
    return isinstance(error, Told)
