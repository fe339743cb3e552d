"""`pipeduck doctor`: what could keep a run from doing its work. It writes nothing.

The checks of the account are in `doctor_account`, those of files in `doctor_files`.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any, TextIO

from warehouse.files import find_wide

from .config import Configuration, load_settings, read_configuration
from .config_layers import secrets_file
from .doctor_account import account_findings
from .doctor_files import file_findings
from .errors import ConfigError
from .findings import Finding, checked, from_error, ok, problem, warning
from .logs import Log

_FIRST = (2, 77, 75, 4, 3)
"""Which exit code counts where several things are wrong: what has to be mended first."""


@dataclass(frozen=True)
class Examination:
    """All findings, and what asking Pipedrive cost."""

    findings: tuple[Finding, ...]
    requests: int
    tokens: int

    @property
    def exit_code(self) -> int:
        """0 where nothing is a problem."""
        codes = {finding.exit_code for finding in self.findings if finding.level == "problem"}
        return next((code for code in _FIRST if code in codes), 1 if codes else 0)

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self) | {"exit_code": self.exit_code}


def examine(
    file: Path | None, log: Log, on_finding: Callable[[Finding], None] = lambda _: None
) -> Examination:
    """Make all checks of the project that `file`, else `./config.toml`, configures.

    Each finding goes to `on_finding` as soon as it is known. Where the configuration cannot be
    used, nothing that depends on it is looked at.
    """
    findings: list[Finding] = []

    def take(found: Iterator[Finding]) -> None:
        for finding in found:
            findings.append(finding)
            on_finding(finding)

    take(checked("versions", _versions))
    try:
        configuration = read_configuration(file)
    except ConfigError as error:
        take(iter([from_error("configuration", error)]))
        return Examination(tuple(findings), 0, 0)
    take(checked("configuration", lambda: _configuration(configuration)))
    if configuration.problems:
        return Examination(tuple(findings), 0, 0)
    settings = load_settings(file)
    cost = [0, 0]
    for found in file_findings(settings):
        take(found)
    for found in account_findings(settings, log, cost):
        take(found)
    log.write(f"{cost[0]} requests, {cost[1]} tokens", "cost", requests=cost[0], tokens=cost[1])
    return Examination(tuple(findings), cost[0], cost[1])


def _configuration(found: Configuration) -> Iterator[Finding]:
    for text in found.problems:
        yield problem("configuration", text, 2)
    if not found.problems:
        where = found.file.resolve() if found.file.is_file() else "no config.toml, environment only"
        yield ok("configuration", f"{len(found.origins)} keys are set ({where})")
    for text in find_wide(secrets_file(found.folder)):
        yield warning("secrets", text)


def _versions() -> Iterator[Finding]:
    """Ours and those of what we need, against what we were made for."""
    from packaging.requirements import Requirement

    told = [f"pipeduck {version('pipeduck')}", f"Python {platform.python_version()}"]
    for text in requires("pipeduck") or ():
        needed = Requirement(text)
        if needed.marker and not needed.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(needed.name)
        except PackageNotFoundError:
            yield problem("versions", f"{needed.name} is not installed: reinstall pipeduck.", 1)
            continue
        if needed.name in {"dlt", "duckdb", "sqlglot"}:
            told.append(f"{needed.name} {found}")
        if not needed.specifier.contains(found, prereleases=True):
            yield warning(
                "versions",
                f"{needed.name} {found} is installed, pipeduck is made for {needed.specifier}: "
                f"pip install '{needed.name}{needed.specifier}'.",
            )
    yield ok("versions", ", ".join(told))


def print_finding(finding: Finding, stream: TextIO) -> None:
    """One line for a person."""
    stream.write(f"{finding.level:<8} {finding.check:<14} {finding.text}\n")
    stream.flush()
