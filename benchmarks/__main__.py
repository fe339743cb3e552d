"""`python -m benchmarks [persons] [fields]`."""

from __future__ import annotations

import sys

from benchmarks.first_load import main

if __name__ == "__main__":
    main(*map(int, sys.argv[1:] or ("100000", "60")))
