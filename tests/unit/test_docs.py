"""What the documents say is what is there."""

from __future__ import annotations

import csv
import io
import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pipelines.cli import main
from pipelines.config import environment_name
from pipelines.config_values import KEYS, as_toml

ROOT = Path(__file__).parents[2]


def commands(group: click.Group, prefix: str = "pipeduck") -> list[str]:
    found = []
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            found += commands(command, f"{prefix} {name}")
        else:
            found.append(f"{prefix} {name}")
    return found


def test_every_key_is_documented_with_its_default_and_variable() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    for name, key in KEYS.items():
        row = f"| `{name}` | `{as_toml(key.default)}` | {key.meaning} |"
        assert row in text, f"docs/configuration.md should say: {row}"
    assert environment_name("sources.pipedrive.api_token") in text


@pytest.mark.parametrize("command", commands(main))
def test_every_command_is_in_the_readme(command: str) -> None:
    assert f"`{command}" in (ROOT / "README.md").read_text("utf-8")


def test_links_between_documents_lead_somewhere() -> None:
    for document in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text("utf-8")):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_session_in_the_readme_is_what_the_commands_print(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    (session,) = re.findall(r"```console\n(.*?)```", readme, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    for step in session.split("$ ")[1:]:
        line, _, printed = step.partition("\n")
        name, *arguments = shlex.split(line)
        if line == "make demo":
            name, arguments = "pipeduck", ["demo"]
        if name == "cd":
            monkeypatch.chdir(arguments[0])
            continue
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 0, result.output
        if printed:
            assert list(csv.reader(io.StringIO(result.stdout))) == list(
                csv.reader(io.StringIO(printed))
            )
