"""Files for cron, launchd, GitHub, Airflow and Dagster.

Where a run is not to begin with all the others of the world at the full hour, it puts itself off
(`run --jitter`), or its minute differs between projects. None of them needs to keep runs apart: a
second one finds the lock and ends with 75, which is no failure anywhere below.
"""

from __future__ import annotations

import itertools
import json
import plistlib
import shlex
from datetime import timedelta
from pathlib import Path

from pipelines.errors import ConfigError

from .place import Place, cron_of
from .ticks import Cron, Every

_MOST = 500  # entries of a launchd calendar
_PLIST_KEYS = ("Minute", "Hour", "Day", "Month", "Weekday")
_OFTEN = timedelta(minutes=5)


def cron(place: Place, ticks: Every | Cron, jitter: timedelta) -> str:
    """A line for `crontab -e`. cron mails what is printed: the end of the log, of a failure."""
    log = place.log
    command = (
        f"mkdir -p {_sh(log.parent)} && ( {place.shell(jitter)} ) 2>>{_sh(log)} "
        f"|| [ $? -eq 75 ] || tail -n 5 {_sh(log)}"
    ).replace("%", "\\%")
    return f"""\
# pipeduck: for crontab -e of user {place.user}, in the machine's own time zone
{cron_of(ticks, place.offset(60))} {command}
"""


def launchd(place: Place, ticks: Every | Cron, jitter: timedelta) -> str:
    """A launch agent: ~/Library/LaunchAgents/pipeduck.plist. launchd never starts one twice."""
    command = ["/bin/sh", "-c", place.shell(jitter)] if place.env_file else place.run(jitter)
    if isinstance(ticks, Every):
        when: dict[str, object] = {"StartInterval": int(ticks.period.total_seconds())}
    else:
        when = {"StartCalendarInterval": _intervals(ticks)}
    agent = {
        "Label": "pipeduck",
        "ProgramArguments": list(command),
        "WorkingDirectory": str(place.folder),
        **when,
        "ProcessType": "Background",
        "StandardErrorPath": str(place.folder / "pipeduck.log"),  # a folder that is there
        "Umask": 0o077,
        "ExitTimeOut": 300,
    }
    return plistlib.dumps(agent, sort_keys=False).decode()


def _intervals(ticks: Cron) -> list[dict[str, int]]:
    """Days and weekdays that are both given are either of them, as in cron."""
    given = [
        [(key, value) for value in values]
        for key, values in zip(_PLIST_KEYS, ticks.fields, strict=True)
        if values
    ]
    found = [dict(pairs) for pairs in itertools.islice(itertools.product(*given), _MOST + 1)]
    if len(found) > _MOST:
        raise ConfigError(
            f"launchd needs more than {_MOST} entries for {ticks.text}.", "Use --every."
        )
    return found


def github(place: Place, ticks: Every | Cron) -> str:
    """A workflow. The files live in the cache of the repository, which has to be private."""
    if isinstance(ticks, Every) and ticks.period < _OFTEN:
        raise ConfigError("GitHub runs nothing more often than every 5 minutes.", "Use --every 5m.")
    if isinstance(ticks, Cron) and ticks.zone.key != "UTC":
        raise ConfigError("GitHub's schedules are in UTC.", "Leave --timezone out.")
    data = place.data
    folder = data.relative_to(place.folder) if data.is_relative_to(place.folder) else Path("data")
    data_path = json.dumps(str(folder))
    return f"""\
# pipeduck, {ticks.text}. The repository has config.toml, and either is a checkout of pipeduck or
# names it in requirements.txt. It must be private: the cache holds the account's data.
# Settings > Secrets and variables > Actions: PIPEDRIVE_API_TOKEN.
name: pipeduck
on:
  schedule:
    - cron: {json.dumps(cron_of(ticks, place.offset(60)))}
  workflow_dispatch:
permissions:
  contents: read
concurrency:
  group: pipeduck
  cancel-in-progress: false
jobs:
  run:
    runs-on: ubuntu-latest
    timeout-minutes: 120
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.11"
      - run: |
          if [ -f requirements.txt ]; then
            pip install -r requirements.txt
          else
            pip install -c constraints.txt .
          fi
      - uses: actions/cache/restore@v4
        with:
          path: {data_path}
          key: pipeduck-${{{{ github.run_id }}}}-${{{{ github.run_attempt }}}}
          restore-keys: pipeduck-
      # 75 is "later": tokens spent, Pipedrive not reachable
      - run: pipeduck run || [ $? -eq 75 ]
        env:
          SOURCES__PIPEDRIVE__API_TOKEN: ${{{{ secrets.PIPEDRIVE_API_TOKEN }}}}
      - uses: actions/cache/save@v4
        if: always()
        with:
          path: {data_path}
          key: pipeduck-${{{{ github.run_id }}}}-${{{{ github.run_attempt }}}}
"""


def airflow(place: Place, ticks: Every | Cron, jitter: timedelta) -> str:
    """A DAG for Airflow 2.6 or newer, and 3."""
    zone = ticks.zone.key if isinstance(ticks, Cron) else "UTC"
    return f'''\
"""pipeduck, {ticks.text}: for Airflow's folder of DAGs."""

import pendulum

try:
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.sdk import DAG
except ImportError:  # before Airflow 3
    from airflow import DAG
    from airflow.operators.bash import BashOperator

with DAG(
    dag_id="pipeduck",
    schedule={cron_of(ticks)!r},
    start_date=pendulum.datetime(2024, 1, 1, tz={zone!r}),
    catchup=False,
    max_active_runs=1,
) as dag:
    BashOperator(
        task_id="run",
        bash_command={_no_template(place.shell(jitter))!r},
        append_env=True,
        # later: tokens spent, another run going on, Pipedrive not reachable
        skip_on_exit_code=75,
    )
'''


def dagster(place: Place, ticks: Every | Cron, jitter: timedelta) -> str:
    """Definitions for Dagster: dagster dev -f pipeduck_schedule.py."""
    zone = ticks.zone.key if isinstance(ticks, Cron) else "UTC"
    return f'''\
"""pipeduck, {ticks.text}: dagster dev -f this_file.py"""

import subprocess

import dagster

LATER = 75  # tokens spent, another run going on, Pipedrive not reachable


@dagster.op
def run_pipeduck(context) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", {place.shell(jitter)!r}],
        stderr=subprocess.PIPE,
        text=True,
    )
    context.log.info(done.stderr)
    if done.returncode not in (0, LATER):
        raise dagster.Failure(f"pipeduck run ended with exit code {{done.returncode}}")


@dagster.job
def pipeduck():
    run_pipeduck()


defs = dagster.Definitions(
    jobs=[pipeduck],
    schedules=[
        dagster.ScheduleDefinition(
            job=pipeduck,
            cron_schedule={cron_of(ticks)!r},
            execution_timezone={zone!r},
            default_status=dagster.DefaultScheduleStatus.RUNNING,
        )
    ],
)
'''


def _no_template(text: str) -> str:
    """Text that Airflow's Jinja leaves as it is."""
    is_plain = not any(mark in text for mark in ("{{", "{%", "{#"))
    return text if is_plain else "{% raw %}" + text + "{% endraw %}"


def _sh(path: Path) -> str:
    return shlex.quote(str(path))
