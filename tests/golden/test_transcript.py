"""A first look around on the demo's files, as the README describes it, is `docs/transcript.md`.

`PIPEDUCK_REFRESH_GOLDEN=1 pytest tests/golden` writes the file anew.
"""

from __future__ import annotations

import os
import re
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelines.cli import main

_FILE = Path(__file__).parents[2] / "docs" / "transcript.md"
_STEPS = (
    ("Two loads of an imaginary account, with changes between them.", "pipeduck demo", ""),
    ("What there is.", "pipeduck tables", ""),
    (
        "A question, with custom fields by name.",
        'pipeduck query "select cf_segment, count(*) as leads, median(value)::decimal(18, 2) as '
        "median_value from leads where status = 'open' and currency = 'EUR' group by all "
        'order by leads desc"',
        "",
    ),
    (
        "The same in a prompt, with completion, history, and commands that begin with a dot.",
        "pipeduck shell",
        ".columns users\nselect name, email from users order by name;\n.quit\n",
    ),
    (
        "Files for others.",
        "pipeduck export -t leads,persons -f parquet -o exports",
        "",
    ),
    ("A page for those who would rather look.", "pipeduck report -o report.html", ""),
    ("What all of it has cost.", "pipeduck status", ""),
)


def test_the_transcript_is_what_the_commands_print(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("PIPEDUCK_HISTORY", "")
    parts = [
        "# A first look around\n",
        "Made by a test from what the commands print on stdout; what is different each time is "
        "dots. The first command takes some ten seconds, each other one about one.\n",
    ]
    for text, command, typed in _STEPS:
        result = CliRunner().invoke(main, shlex.split(command)[1:], input=typed)
        assert result.exit_code == 0, result.output
        shown = "".join(f"> {line}\n" for line in typed.splitlines())
        printed = _steady(result.stdout, tmp_path)
        parts.append(f"{text}\n\n```console\n$ {command}\n{shown}{printed}```\n")
        if command == "pipeduck demo":
            monkeypatch.chdir("data/demo")
            parts.append("```console\n$ cd data/demo\n```\n")
    found = "\n".join(parts)
    if os.environ.get("PIPEDUCK_REFRESH_GOLDEN"):
        _FILE.write_text(found, "utf-8")
    assert found == _FILE.read_text("utf-8")


def _steady(text: str, folder: Path) -> str:
    """Without what is different each time; as wide as it was, so that columns stay in line."""
    text = text.replace(f"{folder}/data/demo/", "").replace(f"{folder}/", "")
    for day in (datetime.now(UTC) - timedelta(days=1), datetime.now(UTC)):  # around midnight
        pattern = rf"{day:%Y-%m-%d}( \d\d:\d\d:\d\d(\.\d+)?Z)?|{day:%Y%m%d}T\d{{6}}Z-[0-9a-f]{{6}}"
        text = re.sub(pattern, lambda found: "." * len(found[0]), text)
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())
