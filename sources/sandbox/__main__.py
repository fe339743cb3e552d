"""`python -m sources.sandbox`: serve a sandbox until interrupted."""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import fields
from types import FrameType
from typing import get_args, get_type_hints

from sources.sandbox.options import SandboxOptions
from sources.sandbox.server import Sandbox


def serve(options: SandboxOptions) -> None:
    """Serve a sandbox until SIGINT or SIGTERM; prints its address and token, one line each."""
    done = threading.Event()

    def stop(_signum: int, _frame: FrameType | None) -> None:
        done.set()

    before = {x: signal.signal(x, stop) for x in (signal.SIGINT, signal.SIGTERM)}
    try:
        with Sandbox(options) as box:
            print(box.url, flush=True)
            print(box.token, flush=True)
            print("Serving until interrupted.", file=sys.stderr, flush=True)
            done.wait()
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def parse(argv: Sequence[str], prog: str | None = None) -> SandboxOptions:
    """Read options from a command line: `--archived-leads 40`, `--no-v2`, `--nulls last`."""
    parser = argparse.ArgumentParser(prog=prog, description="Serve a sandbox until interrupted.")
    hints = get_type_hints(SandboxOptions)
    for field in fields(SandboxOptions):
        flag = f"--{field.name.replace('_', '-')}"
        if isinstance(field.default, bool):
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=field.default)
        else:
            choices = get_args(hints[field.name]) or None
            kind = type(field.default)
            parser.add_argument(flag, type=kind, default=field.default, choices=choices)
    parser.set_defaults(port=8899)
    return SandboxOptions(**vars(parser.parse_args(argv)))


def main(argv: Sequence[str] | None = None, prog: str = "python -m sources.sandbox") -> None:
    """Serve what the command line asks for."""
    serve(parse(sys.argv[1:] if argv is None else argv, prog))


if __name__ == "__main__":
    main()
