"""What reading costs: requests sent, and tokens by the price list."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace


@dataclass
class Meter:
    """What reading one entity has cost so far: requests sent, tokens by the price list."""

    requests: int = 0
    tokens: int = 0


class Meters:
    """All that was spent, and by which path; safe to share between threads."""

    def __init__(self) -> None:
        self.total = Meter()
        self._paths: dict[str, Meter] = {}
        self._lock = threading.Lock()

    @property
    def by_path(self) -> dict[str, Meter]:
        """A copy of the present numbers by path (`v2/persons`, `v1/leads`)."""
        with self._lock:
            return {path: replace(meter) for path, meter in self._paths.items()}

    def count(self, path: str, meter: Meter, requests: int = 0, tokens: int = 0) -> None:
        """Count for `meter`, for the path and for the total."""
        with self._lock:
            counters = (meter, self.total, self._paths.setdefault(path, Meter()))
            for counter in {id(counter): counter for counter in counters}.values():
                counter.requests += requests
                counter.tokens += tokens
