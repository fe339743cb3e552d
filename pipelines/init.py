"""`pipeduck init`: four questions, a connection that is tested, and the files of a project.

Nothing is written before everything is known, and nothing that exists is replaced unasked. The
token is read without echo or from the environment, never from the command line, where other users
of the machine could see it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from sources.pipedrive.errors import Misconfigured, NoConnection, NotServed, Unauthorized, Untrusted
from sources.pipedrive.hosts import find_host
from sources.pipedrive.identity import Identity
from warehouse.files import ensure_folder

from .config import Settings, check_place, load_settings
from .config_layers import environment_name
from .config_values import KEYS, Invalid
from .config_written import config_text
from .connection import open_client
from .errors import ConfigError
from .init_files import write_project
from .logs import Log

_SOURCE = "sources.pipedrive"
_TOKEN = f"{_SOURCE}.api_token"
_ASKED = {
    environment_name(key): key
    for key in (
        *(f"{_SOURCE}.{name}" for name in ("company_domain", "base_url", "resources")),
        *("warehouse.path", "warehouse.publish"),
    )
}
_DATA = "data"
_PATIENCE = timedelta(seconds=2)  # somebody waits for the next question
_WRONG_PLACE = (Misconfigured, NoConnection, NotServed, Untrusted)
"""What says that the company domain is not right."""


@dataclass(frozen=True)
class Given:
    """What the command line says; None or empty is asked for."""

    company_domain: str | None = None
    resources: tuple[str, ...] = ()
    data: str | None = None
    is_interactive: bool = True
    force: bool = False


def initialize(file: Path, given: Given, log: Log) -> None:
    """Make the project of `file`, a config.toml that need not exist.

    Raises ConfigError where something is missing that may not be asked for, or is there already;
    the errors of `Client.identify`.
    """
    _may_write(file, given)
    conversation = _Conversation(file, given, log)
    values, token = conversation.connect()
    values |= conversation.what_to_load() | conversation.where_to_keep()
    check_place(_settings(file, values, {environment_name(_TOKEN): token} if token else {}))
    for text in write_project(file, values, token):
        log.write(text, "init")
    _tell_what_wins(values, log)
    folder = file.resolve().parent
    chosen = "" if file.name == "config.toml" else f" --config {file}"
    log.write(
        f"Next, in {folder}: pipeduck{chosen} run --dry-run tells what a first load costs, "
        f"pipeduck{chosen} run makes it, pipeduck{chosen} schedule print systemd keeps it going.",
        "init",
    )


def _may_write(file: Path, given: Given) -> None:
    """Ask before a file is replaced, and before any other question."""
    if not file.parent.is_dir():
        raise ConfigError(f"There is no folder {file.parent}.", "Check --config.")
    if not file.exists() or given.force:
        return
    if not given.is_interactive:
        raise ConfigError(f"{file} is there already.", "--force replaces it.")
    if not click.confirm(f"{file} is there already. Replace it?", err=True):
        raise ConfigError(f"{file} is as it was.", "--config FILE makes another one.")


class _Conversation:
    """The four questions. Where nothing may be asked, an answer that does not do is an error."""

    def __init__(self, file: Path, given: Given, log: Log) -> None:
        self.file = file
        self.given = given
        self.log = log
        secrets = environment_name(f"{_SOURCE}.client_secret")
        self.is_oauth = bool(os.environ.get(secrets))

    def connect(self) -> tuple[dict[str, Any], str]:
        """Where the account is and the token for it, once they have been seen to work."""
        text = self.given.company_domain
        base_url = environment_name(f"{_SOURCE}.base_url")
        if text and os.environ.get(base_url):
            raise ConfigError(
                f"--company-domain and {base_url} both say where the account is.", "Give one."
            )
        while True:
            place = self._place(text)
            try:
                return place, self._token(place)
            except _WRONG_PLACE as error:
                if not self.given.is_interactive:
                    raise
                self.log.write(f"{error.message} {error.hint}".strip(), "init", "warning")
                text = None

    def _place(self, text: str | None) -> dict[str, Any]:
        while True:
            if text is None:
                text = self._ask_place()
            try:
                return _address(text)
            except Misconfigured as error:
                if not self.given.is_interactive:
                    raise
                self.log.write(f"{error.message} {error.hint}", "init", "warning")
                text = None

    def _ask_place(self) -> str:
        known = [
            os.environ.get(environment_name(f"{_SOURCE}.{key}"), "").strip()
            for key in ("base_url", "company_domain")
        ]
        default = next((value for value in known if value), None)
        if self.given.is_interactive:
            return str(_prompt("Company domain (acme for acme.pipedrive.com)", default))
        if default is None and not self.is_oauth:
            raise ConfigError(
                "The company domain is missing.",
                f"Give --company-domain, or {environment_name(_SOURCE + '.company_domain')}.",
            )
        return default or ""

    def _token(self, place: Mapping[str, Any]) -> str:
        """The token, tried out; a wrong one is asked for again."""
        known = os.environ.get(environment_name(_TOKEN), "").strip()
        if self.is_oauth:
            self._tell(self._identify(place, {}))
            return ""
        if known:
            self.log.write(f"the token is that of {environment_name(_TOKEN)}", "init")
        elif not self.given.is_interactive:
            raise ConfigError(
                "The API token is missing.",
                f"Set {environment_name(_TOKEN)}: Settings > Personal preferences > API.",
            )
        token = known
        while True:
            token = (
                token
                or str(
                    _prompt("API token (Settings > Personal preferences > API)", is_hidden=True)
                ).strip()
            )
            if token:
                try:
                    self._tell(self._identify(place, {environment_name(_TOKEN): token}))
                except Unauthorized as error:
                    if not self.given.is_interactive:
                        raise
                    self.log.write(f"{error.message} Try another one.", "init", "warning")
                else:
                    return token
            token = ""

    def _identify(self, place: Mapping[str, Any], secrets: Mapping[str, str]) -> Identity:
        settings = _settings(self.file, place, secrets)
        patient = replace(settings.source, max_wait=min(settings.source.max_wait, _PATIENCE))
        with open_client(replace(settings, source=patient)) as client:
            return client.identify()

    def _tell(self, identity: Identity) -> None:
        who = f"connected to {identity.company_domain or 'Pipedrive'} as {identity.user_name}"
        if identity.is_admin is False:
            who += ", no admin: what this user may not see is not loaded"
        self.log.write(who, "init")

    def what_to_load(self) -> dict[str, Any]:
        """All that can be loaded, or some of it."""
        name = f"{_SOURCE}.resources"
        key = KEYS[name]
        text = ",".join(self.given.resources) or os.environ.get(environment_name(name), "")
        is_given = bool(self.given.resources) or not self.given.is_interactive
        while True:
            if not is_given:
                everything = ",".join(key.default)
                text = str(_prompt("What to load", text or everything))
            try:
                return {name: key.read(text) if text.strip() else key.default}
            except Invalid as error:
                if is_given:
                    raise ConfigError(f"{text!r} is not {error}.", "Check --resource.") from None
                self.log.write(f"That is not {error}.", "init", "warning")
                text = ""

    def where_to_keep(self) -> dict[str, Any]:
        """The folder of both DuckDB files, made where it is missing."""
        paths = {name: f"warehouse.{name}" for name in ("path", "publish")}
        set_ = {
            key: os.environ[environment_name(key)].strip()
            for key in paths.values()
            if os.environ.get(environment_name(key), "").strip()
        }
        text = self.given.data
        while True:
            if text is None and self.given.is_interactive:
                text = str(_prompt("Where to keep the data", _DATA))
            if text is None:
                return set_
            place = Path(text.strip() or _DATA).expanduser()
            try:
                _try_folder(self.file.resolve().parent / place)
            except OSError as error:
                reason = f"{place} cannot be written: {error.strerror}."
                if not self.given.is_interactive:
                    raise ConfigError(reason, "Check --data.") from error
                self.log.write(reason, "init", "warning")
                text = None
                continue
            return {
                key: (place / Path(KEYS[key].default).name).as_posix() for key in paths.values()
            }


def _prompt(text: str, default: str | None = None, *, is_hidden: bool = False) -> Any:
    return click.prompt(text, default=default, hide_input=is_hidden, err=True)


def _address(text: str) -> dict[str, Any]:
    """What a person says of where the account is, as keys. Raises Misconfigured."""
    found = text.strip()
    if not found:
        return {}  # OAuth tells it with the access token
    host = urlsplit(found).hostname if "://" in found else found.partition("/")[0]
    if host is None or ("://" in found and not host.endswith(".pipedrive.com")):
        find_host("", found)
        return {f"{_SOURCE}.base_url": found.rstrip("/")}
    company = host.lower().removesuffix(".pipedrive.com")
    find_host(company, "")
    return {f"{_SOURCE}.company_domain": company}


def _settings(file: Path, values: Mapping[str, Any], secrets: Mapping[str, str]) -> Settings:
    """The settings that the new file would give, and these secrets."""
    environment = {name: text for name, text in os.environ.items() if name not in _ASKED}
    beside = file.with_name(f".{file.name}.{os.getpid()}.new")
    try:
        beside.write_text(config_text(values), "utf-8")
        return load_settings(beside, environment | dict(secrets))
    except OSError as error:
        raise ConfigError(
            f"{file.parent} cannot be written: {error.strerror}.", "Choose another folder."
        ) from error
    finally:
        beside.unlink(missing_ok=True)


def _tell_what_wins(values: Mapping[str, Any], log: Log) -> None:
    """Variables of this shell that say something else than the new file."""
    for variable, name in _ASKED.items():
        try:
            said = KEYS[name].read(os.environ.get(variable, ""))
        except Invalid:
            continue
        if said and said != values.get(name, KEYS[name].default):
            log.write(
                f"{variable} is set in this shell, and wins over the file.", "init", "warning"
            )


def _try_folder(folder: Path) -> None:
    ensure_folder(folder)
    trial = folder / f".pipeduck.{os.getpid()}.new"
    trial.touch()
    trial.unlink()
