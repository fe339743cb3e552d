"""Other processes that hold something, so that a test sees what a run does about it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]

_SQL = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "read")
print("ready", flush=True)
for sql in sys.stdin:
    print(connection.execute(sql).fetchall(), flush=True)
"""
_HOLD = """
import sys
from pathlib import Path
from warehouse.lock import hold
with hold(Path(sys.argv[1]), sys.argv[2]) as lock:
    lock.tell(sys.argv[3])
    lock.identify("20260515T100304Z-abcdef")
    print("ready", flush=True)
    sys.stdin.read()
"""


class Other:
    """A process that waits for what it is asked."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.pid = process.pid

    def read_line(self) -> str:
        """What it prints next."""
        assert self._process.stdout
        return self._process.stdout.readline().rstrip("\n")

    def ask(self, text: str) -> str:
        """Give it a line and return the line it answers with."""
        assert self._process.stdin
        self._process.stdin.write(text + "\n")
        self._process.stdin.flush()
        return self.read_line()

    def kill(self) -> None:
        """SIGKILL: it has no time for anything."""
        self._process.kill()
        self._process.wait()


@contextmanager
def process(code: str, *arguments: str | Path) -> Iterator[Other]:
    """A Python process that has printed its first line, `ready`; killed in the end."""
    with subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as started:
        other = Other(started)
        try:
            assert other.read_line() == "ready"
            yield other
        finally:
            other.kill()


@contextmanager
def tool_with(file: Path, *, is_reader: bool = False) -> Iterator[Other]:
    """A tool of somebody else that has opened `file`; each line it is asked is SQL."""
    with process(_SQL, file, "read" if is_reader else "write") as other:
        yield other


@contextmanager
def run_with(file: Path, command: str = "run", progress: str = "") -> Iterator[Other]:
    """Another run that holds the lock of the working file `file`."""
    with process(_HOLD, file, command, progress) as other:
        yield other
