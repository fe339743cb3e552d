"""What a printed schedule has to know: which pipeduck, which project, whose."""

from __future__ import annotations

import getpass
import re
import shlex
import shutil
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from zlib import crc32

from pipelines.config import Settings
from pipelines.config_layers import SECRETS, environment_name
from pipelines.errors import ConfigError

from .ticks import Cron, Every, shown_duration

_NAME = "pipeduck"
_PLAIN = re.compile(r"[A-Za-z_]\w*=([\w.,:/@%+=~^-]*|'[^'\\]*')")
"""A line of variables that sh, systemd and a person read alike."""


@dataclass(frozen=True)
class Place:
    """All paths are absolute. `writable` are the folders a run writes to.

    `env_file` holds variables for the run, NAME=value a line; None where there is none.
    """

    command: tuple[str, ...]
    """The program and what comes before the name of a command."""
    folder: Path
    user: str
    env_file: Path | None
    data: Path
    writable: tuple[Path, ...]

    def run(self, jitter: timedelta = timedelta()) -> tuple[str, ...]:
        """The command of a run, which may put itself off."""
        delay = ("--jitter", shown_duration(jitter)) if jitter else ()
        return (*self.command, "run", *delay)

    def shell(self, jitter: timedelta = timedelta()) -> str:
        """The same as one line for sh, in the project's folder and with its variables."""
        steps = [f"cd {shlex.quote(str(self.folder))}"]
        if self.env_file:
            steps.append(f"set -a && . {shlex.quote(str(self.env_file))} && set +a")
        return " && ".join([*steps, shlex.join(self.run(jitter))])

    @property
    def log(self) -> Path:
        """Where schedulers without a log of their own write what a run says."""
        return self.data / f"{_NAME}.log"

    def offset(self, minutes: int) -> int:
        """A minute below `minutes` that differs between projects: not all come at the hour."""
        return crc32(str(self.folder).encode()) % minutes


def find_executable() -> str:
    """The absolute path of this pipeduck. Raises ConfigError where it is not installed."""
    called = Path(sys.argv[0])
    beside = Path(sysconfig.get_path("scripts")) / _NAME
    found = shutil.which(called) if called.stem == _NAME else None
    found = found or shutil.which(beside) or shutil.which(_NAME)
    if not found:
        raise ConfigError(
            "The program pipeduck is not found.", "Install it: pip install . in its folder."
        )
    return str(Path(found).absolute())


def command_of(config: Path | None) -> tuple[str, ...]:
    """This program with the configuration it was called with."""
    chosen = ("--config", str(config.absolute())) if config else ()
    return (find_executable(), *chosen)


def find_place(settings: Settings, config: Path | None, env_file: Path | None) -> Place:
    """Where the project is, and who works on it. Raises ConfigError."""
    if env_file and not env_file.is_file():
        raise ConfigError(f"There is no file {env_file}.", "Check --env-file.")
    usual = settings.folder / ".env"
    chosen = env_file or (usual if usual.is_file() else None)
    if chosen:
        _check_variables(chosen)
    folders = [settings.warehouse.path.parent, settings.warehouse.publish.parent]
    if settings.notify.metrics:
        folders.append(settings.notify.metrics.parent)
    if settings.origins.get("sources.pipedrive.refresh_token") == SECRETS:
        folders.append(settings.folder / ".dlt")  # where new ones are kept
    return Place(
        command=command_of(config),
        folder=settings.folder,
        user=getpass.getuser(),
        env_file=chosen.absolute() if chosen else None,
        data=settings.warehouse.path.parent,
        writable=tuple(dict.fromkeys(folders)),
    )


def _check_variables(file: Path) -> None:
    """Raises ConfigError for lines that a shell and systemd would read as different values."""
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} cannot be read: {error}.", "Check --env-file.") from error
    for number, line in enumerate(map(str.strip, lines), 1):
        if line and not line.startswith("#") and not _PLAIN.fullmatch(line):
            raise ConfigError(
                f"Line {number} of {file} is not NAME=value in plain characters.",
                "Schedulers read this file as sh does: put the value into single quotes, or "
                "secrets into .dlt/secrets.toml.",
            )


def only_here(settings: Settings, env_file: Path | None) -> Sequence[str]:
    """Variables that are set in this shell, and that a scheduler will not have.

    What a file of variables sets is in it by its name.
    """
    try:
        told = env_file.read_text("utf-8") if env_file else ""
    except (OSError, UnicodeDecodeError):
        told = ""
    here = {place for name, place in settings.origins.items() if place == environment_name(name)}
    return sorted(variable for variable in here if f"{variable}=" not in told)


def cron_of(ticks: Every | Cron, offset: int = 0) -> str:
    """Five fields of cron. `offset` minutes later for what comes every so often.

    Raises ConfigError where cron cannot say it.
    """
    if isinstance(ticks, Cron):
        return ticks.expression
    minutes, rest = divmod(int(ticks.period.total_seconds()), 60)
    hours = minutes // 60
    if not rest and minutes < 60 and 60 % minutes == 0:
        begin = offset % minutes
        if minutes == 1:
            return "* * * * *"
        return f"{','.join(str(m) for m in range(begin, 60, minutes))} * * * *"
    if not rest and minutes % 60 == 0 and 24 % hours == 0:
        return f"{offset % 60} {'*' if hours == 1 else f'*/{hours}' if hours < 24 else '3'} * * *"
    raise ConfigError(
        f"cron cannot say {ticks.text}.",
        "It knows parts of an hour (5m, 15m, 30m) and of a day (1h, 6h, 1d); or use --cron.",
    )
