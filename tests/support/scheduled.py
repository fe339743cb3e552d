"""A scheduler whose runs say when they were told to stop.

python scheduled.py loop FIFO    runs every 15 minutes, beginning now
python scheduled.py run FIFO     such a run: writes to FIFO as soon as SIGTERM has reached it
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    what, fifo = sys.argv[1:]
    if what == "loop":
        from pipelines.config import load_settings
        from pipelines.logs import Log
        from pipelines.schedule.process import run_schedule

        command = [sys.executable, __file__, "run", fifo]
        keys = {"cron": None, "timezone": None, "jitter": None}
        sys.exit(run_schedule(load_settings(), Log(), command, every="15m", **keys))
    from pipelines.cli import main
    from pipelines.stopping import Stopping

    ask = Stopping.ask

    def ask_and_say(self: Stopping) -> None:
        ask(self)
        Path(fifo).write_text("asked")

    Stopping.ask = ask_and_say  # type: ignore[method-assign]
    main(["run"])
