"""Run a pipeduck command and kill it, as a power cut would, before its n-th statement to DuckDB.

python killed.py N run …
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from itertools import count
from types import FrameType
from typing import Any

_STATEMENTS = {"execute", "sql", "begin", "commit", "close"}


def kill_before(statement: int) -> None:
    """Let this process be killed before it sends DuckDB so many statements."""
    sent = count(1)

    def watch(frame: FrameType, event: str, called: Any) -> None:
        if event != "c_call" or called.__name__ not in _STATEMENTS:
            return
        if called.__module__ == "_duckdb" and next(sent) == statement:
            os.kill(os.getpid(), signal.SIGKILL)

    threading.setprofile(watch)
    sys.setprofile(watch)


if __name__ == "__main__":
    from pipelines.cli import main

    kill_before(int(sys.argv.pop(1)))
    main()
