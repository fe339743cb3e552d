"""`pipeduck config show`: every key with its origin, and nothing secret in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pipelines.cli import main
from pipelines.config_values import KEYS

TOKEN = "0123456789abcdef0123456789abcdef0123beef"
HOOK = "https://hooks.example.com/services/T0/B0/abcdefghijkl"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".dlt").mkdir()
    (tmp_path / "config.toml").write_text(
        f'[sources.pipedrive]\npage_size = 100\n[notify]\nwebhook = "{HOOK}"\n'
        '[transforms.columns.persons]\n"abc" = "cf_budget"\n'
    )
    secrets = tmp_path / ".dlt" / "secrets.toml"
    secrets.write_text(
        f'[sources.pipedrive]\napi_token = "{TOKEN}"\n[warehouse]\nencryption_key = "short"\n'
    )
    secrets.chmod(0o600)
    return tmp_path


def call(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, ["config", "show", *arguments], env=environment)


def shown(result: Result) -> dict[str, Any]:
    return {entry["key"]: entry for entry in json.loads(result.stdout)["keys"]}


def test_each_key_is_shown_with_its_value_and_where_it_comes_from(folder: Path) -> None:
    result = call("--json", SOURCES__PIPEDRIVE__OVERLAP="1h")
    assert result.exit_code == 0, result.output
    keys = shown(result)
    assert keys.keys() == {*KEYS, "transforms.columns.persons.abc"}
    for name, value, origin in (
        ("sources.pipedrive.page_size", "100", "config.toml"),
        ("sources.pipedrive.overlap", '"1h"', "SOURCES__PIPEDRIVE__OVERLAP"),
        ("sources.pipedrive.api", '"auto"', "default"),
        ("sources.pipedrive.api_token", "***beef", ".dlt/secrets.toml"),
        ("transforms.columns.persons.abc", '"cf_budget"', "config.toml"),
    ):
        assert (keys[name]["value"], keys[name]["origin"]) == (value, origin)
    lines = call().stdout.splitlines()
    assert lines[0] == f"# {folder / 'config.toml'}"
    (line,) = [line for line in lines if line.startswith("sources.pipedrive.page_size ")]
    assert line.split() == ["sources.pipedrive.page_size", "100", "config.toml"]


def test_no_secret_is_shown(folder: Path) -> None:
    for result in (call(), call("--json"), call("--log-format", "json")):
        assert TOKEN not in result.output
        assert TOKEN[:-4] not in result.output
        assert "abcdefgh" not in result.output
        assert "short" not in result.output
    keys = shown(call("--json"))
    assert keys["warehouse.encryption_key"]["value"] == "set"
    assert keys["notify.webhook"]["value"] == "https://hooks.example.com/***"
    password = call(SOURCES__PIPEDRIVE__BASE_URL="http://me:secret@127.0.0.1:1/x").output
    assert "secret@" not in password
    assert '"http://***@127.0.0.1:1/x"' in password


def test_a_configuration_that_is_wrong_is_shown_with_every_problem(folder: Path) -> None:
    wrong = {"SOURCES__PIPEDRIVE__PAGE_SIZ": "1", "WAREHOUSE__MEMORY_LIMIT": "much"}
    result = call("--json", **wrong)
    assert result.exit_code == 2
    document = json.loads(result.stdout)
    assert len(document["problems"]) == 2
    assert "Did you mean sources.pipedrive.page_size?" in result.stderr
    assert shown(result)["warehouse.memory_limit"]["value"] is None
    as_text = call(**wrong)
    assert as_text.exit_code == 2
    assert "not usable" in as_text.stdout


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_secrets_that_others_can_read_are_warned_of(folder: Path, mode: int) -> None:
    assert call().stderr == ""
    (folder / ".dlt" / "secrets.toml").chmod(mode)
    result = call()
    assert result.exit_code == 0
    assert f"(mode {mode:04o}): chmod 600 it." in result.stderr
