"""`pipeduck schedule print`: the files of a scheduler, for this project on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipelines.config import Settings
from pipelines.errors import ConfigError
from pipelines.logs import Log

from . import formats, systemd
from .place import find_place, only_here
from .ticks import Every, read_jitter, read_schedule

FORMATS = ("systemd", "cron", "launchd", "github", "airflow", "dagster")
EVERY = "15m"
_LOCAL = ("cron", "launchd")

_NEXT = {
    "systemd": (
        "Put both files into /etc/systemd/system, then: systemctl daemon-reload && systemctl "
        "enable --now pipeduck.timer. The log: journalctl -u pipeduck."
    ),
    "cron": "Add the line with crontab -e.",
    "launchd": (
        "Save it as ~/Library/LaunchAgents/pipeduck.plist, then: launchctl bootstrap "
        "gui/$(id -u) ~/Library/LaunchAgents/pipeduck.plist"
    ),
    "github": "Save it as .github/workflows/pipeduck.yml.",
    "airflow": "Save it as pipeduck_dag.py in Airflow's folder of DAGs.",
    "dagster": "Save it as pipeduck_schedule.py, then: dagster dev -f pipeduck_schedule.py",
}


def make_files(
    settings: Settings,
    form: str,
    *,
    config: Path | None = None,
    env_file: Path | None = None,
    every: str | None = None,
    cron: str | None = None,
    timezone: str | None = None,
    jitter: str | None = None,
    log: Log | None = None,
) -> Mapping[str, str]:
    """The files by name. What the scheduler will lack is told to `log`. Raises ConfigError."""
    if timezone and form in _LOCAL:
        raise ConfigError(
            f"{form} knows no time zone but the machine's own.",
            "Leave --timezone out, and write --cron in that of the machine.",
        )
    ticks = read_schedule(every or (None if cron else EVERY), cron, timezone, datetime.now(UTC))
    is_often = isinstance(ticks, Every) and ticks.period <= timedelta(minutes=1)
    delay = read_jitter(jitter or ("10s" if is_often else "1m"), ticks)
    place = find_place(settings, config, env_file)
    missing = only_here(settings, place.env_file)
    if log and missing and form != "github":
        log.write(
            f"The scheduler will not have what is set in this shell only: {', '.join(missing)}. "
            "Put secrets into .dlt/secrets.toml, or variables into a file for --env-file.",
            "schedule",
            "warning",
        )
    match form:
        case "systemd":
            return {
                "pipeduck.service": systemd.service(place),
                "pipeduck.timer": systemd.timer(ticks, delay),
            }
        case "cron":
            return {"pipeduck.cron": formats.cron(place, ticks, delay)}
        case "launchd":
            return {"pipeduck.plist": formats.launchd(place, ticks, delay)}
        case "github":
            return {"pipeduck.yml": formats.github(place, ticks)}
        case "airflow":
            return {"pipeduck_dag.py": formats.airflow(place, ticks, delay)}
        case "dagster":
            return {"pipeduck_schedule.py": formats.dagster(place, ticks, delay)}
    raise ConfigError(f"There is no format {form!r}.", f"There are {', '.join(FORMATS)}.")


def next_step(form: str) -> str:
    """What to do with the files."""
    return _NEXT[form]


def joined(files: Mapping[str, str]) -> str:
    """All files as one text; where there are several, each below a comment with its name."""
    if len(files) == 1:
        return "".join(files.values())
    return "\n".join(f"# {name}\n{text}" for name, text in files.items())


def save(files: Mapping[str, str], folder: Path) -> list[Path]:
    """Write the files into `folder`. Raises ConfigError where one is there already."""
    targets = [folder / name for name in files]
    for target in targets:
        if target.exists():
            raise ConfigError(f"{target} is there already.", "Take it away, or choose another -o.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for target, text in zip(targets, files.values(), strict=True):
            target.write_text(text, "utf-8")
    except OSError as error:
        raise ConfigError(
            f"{folder} cannot be written: {error.strerror}.", "Choose another -o."
        ) from error
    return targets
