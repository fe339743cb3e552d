"""systemd: a service that runs once, hardened, and a timer that starts it."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from .place import Place
from .ticks import Cron, Every

_PLAIN = re.compile(r"[\w./:@=+-]+")
_DAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_TEMPORARY = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - looked for, not written to


def service(place: Place) -> str:
    """`pipeduck.service`. systemd starts it once, however many ticks come meanwhile."""
    env_file = place.env_file or place.folder / ".env"
    writable = " ".join(_quoted(str(_existing(folder))) for folder in place.writable)
    paths = (place.folder, Path(place.command[0]), *place.writable)
    is_temporary = any(path.is_relative_to(folder) for path in paths for folder in _TEMPORARY)
    return f"""\
[Unit]
Description=pipeduck: Pipedrive into DuckDB
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
User={place.user}
WorkingDirectory={_line(str(place.folder))}
# secrets stand in .dlt/secrets.toml there, or as NAME=value in this file, if it exists
EnvironmentFile=-{_line(str(env_file))}
ExecStart={_command(place.run())}
# 75 is "later": tokens spent, another run going on, Pipedrive not reachable
SuccessExitStatus=75
# told to stop, a run commits and publishes what it has read
TimeoutStopSec=5min

UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths={writable}
PrivateTmp={"no" if is_temporary else "yes"}
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
"""


def timer(ticks: Every | Cron, jitter: timedelta) -> str:
    """`pipeduck.timer`."""
    if isinstance(ticks, Every):
        when = f"OnBootSec=1min\nOnUnitActiveSec={int(ticks.period.total_seconds())}s"
    else:
        # a tick missed while the machine was off is made up for
        times = "\n".join(f"OnCalendar={moment}" for moment in calendar(ticks))
        when = f"{times}\nPersistent=true"
    return f"""\
[Unit]
Description=pipeduck, {ticks.text}

[Timer]
{when}
AccuracySec=1s
RandomizedDelaySec={int(jitter.total_seconds())}s

[Install]
WantedBy=timers.target
"""


def calendar(ticks: Cron) -> list[str]:
    """A cron expression as systemd's calendar events.

    Days and weekdays that are both given are either of them in cron, both of them in an event.
    """
    minutes, hours, days, months, weekdays = ticks.fields
    date = f"*-{_list(months)}"
    time = f"{_list(hours)}:{_list(minutes)}:00 {ticks.zone.key}"
    names = ",".join(_DAYS[day % 7] for day in weekdays)
    if days and weekdays:
        return [f"{date}-{_list(days)} {time}", f"{names} {date}-* {time}"]
    return [f"{names} {date}-{_list(days)} {time}".strip()]


def _list(values: tuple[int, ...]) -> str:
    return ",".join(f"{value:02}" for value in values) or "*"


def _existing(folder: Path) -> Path:
    """The folder, or what there is of it: systemd refuses a path that does not exist."""
    return next((place for place in (folder, *folder.parents) if place.exists()), folder)


def _line(text: str) -> str:
    """A path that is a whole value."""
    return text.replace("%", "%%")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return text if _PLAIN.fullmatch(text) else f'"{escaped}"'


def _command(words: tuple[str, ...]) -> str:
    """A command line. Variables are looked for in all words but the first.

    Some characters may not stand in that one, whatever they are quoted with.
    """
    if any(character in words[0] for character in "'\"\\"):
        words = ("/usr/bin/env", *words)
    program, *arguments = (_quoted(word) for word in words)
    return " ".join([program, *(word.replace("$", "$$") for word in arguments)])
