"""`pipeduck init`: four questions, a connection that is tested, files that can be used."""

from __future__ import annotations

import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pipelines.cli import main
from pipelines.config import load_settings, read_configuration
from pipelines.config_values import KEYS
from pipelines.config_written import config_text
from pipelines.init import _address
from sources.pipedrive.errors import Misconfigured
from sources.sandbox import Sandbox

TOKEN = "SOURCES__PIPEDRIVE__API_TOKEN"


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(persons=2) as made:
        yield made


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCES__PIPEDRIVE__MAX_WAIT", "0s")
    return tmp_path


def init(*words: str, answers: tuple[str, ...] = (), **environment: str) -> Result:
    text = "".join(f"{answer}\n" for answer in answers)
    return CliRunner().invoke(main, ["init", *words], input=text, env=environment)


def test_four_answers_make_a_project_that_runs(box: Sandbox, folder: Path) -> None:
    result = init(answers=(box.url, box.token, "persons, leads", "keep/here"))
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert "connected to pond-sandbox as" in result.stderr
    assert "pipeduck run" in result.stderr
    assert box.token not in result.output
    secrets = folder / ".dlt" / "secrets.toml"
    assert secrets.stat().st_mode & 0o777 == 0o600
    settings = load_settings(environment={})
    assert settings.source.api_token == box.token
    assert settings.source.base_url == box.url
    assert settings.source.resources == ("leads", "persons")
    assert settings.warehouse.path == folder / "keep" / "here" / "warehouse.duckdb"
    assert settings.warehouse.publish == folder / "keep" / "here" / "pipedrive.duckdb"
    assert box.token not in (folder / "config.toml").read_text()
    assert {p.name for p in folder.iterdir()} == {"config.toml", ".dlt", "keep"}


def test_enter_takes_everything_and_the_usual_folder(box: Sandbox, folder: Path) -> None:
    assert init(answers=(box.url, box.token, "", "")).exit_code == 0
    given = tomllib.loads((folder / "config.toml").read_text())
    assert given["sources"]["pipedrive"] == {"base_url": box.url, "cadence": {}}
    assert given["warehouse"] == {}, "what does not differ is not set"


def test_wrong_answers_are_asked_for_again(box: Sandbox, folder: Path) -> None:
    (folder / "file").write_text("x")
    result = init(
        answers=(
            *("not a company!", "http://127.0.0.1:9", "x" * 40),  # nobody listens there
            *(box.url, "x" * 40, box.token),
            *("leeds", "leads", "file", "data"),
        )
    )
    assert result.exit_code == 0, result.output
    for said in (
        "is not a Pipedrive company",
        "Try another one.",
        "That is not a list with some of leads",
        "file cannot be written",
    ):
        assert said in result.stderr
    assert load_settings(environment={}).source.resources == ("leads",)


def test_nothing_is_asked_of_a_container(box: Sandbox, folder: Path) -> None:
    words = ("--non-interactive", "--resource", "deals", "--data", "d")
    result = init(*words, SOURCES__PIPEDRIVE__BASE_URL=box.url, **{TOKEN: box.token})
    assert result.exit_code == 0, result.output
    settings = load_settings(environment={})
    assert (settings.source.base_url, settings.source.api_token) == (box.url, box.token)
    assert settings.source.resources == ("deals",)
    assert settings.warehouse.path == folder / "d" / "warehouse.duckdb"


@pytest.mark.parametrize(
    ("environment", "words", "code", "said"),
    [
        ({}, (), 2, "company domain is missing"),
        ({}, ("--company-domain", "acme"), 2, "API token is missing"),
        ({TOKEN: "x" * 40}, ("--company-domain", "no company!"), 2, "not a Pipedrive company"),
        ({TOKEN: "x" * 40}, ("--company-domain", "URL"), 77, "does not accept the token"),
        ({TOKEN: "x" * 40}, ("--company-domain", "http://127.0.0.1:9"), 75, "127.0.0.1"),
        ({TOKEN: "TOKEN"}, ("--company-domain", "URL", "--data", "/proc/x"), 2, "cannot be wri"),
    ],
)
def test_what_is_missing_or_wrong_ends_without_a_file(
    environment: dict[str, str],
    words: tuple[str, ...],
    code: int,
    said: str,
    box: Sandbox,
    folder: Path,
) -> None:
    known = {"URL": box.url, "TOKEN": box.token}
    given = [known.get(word, word) for word in words]
    variables = {name: known.get(text, text) for name, text in environment.items()}
    result = init("--non-interactive", *given, **variables)
    assert (result.exit_code, said in result.stderr) == (code, True), result.output
    assert list(folder.iterdir()) == []


def test_what_exists_is_replaced_only_when_somebody_says_so(box: Sandbox, folder: Path) -> None:
    mine = "[sources.pipedrive]\npage_size = 100\n"
    (folder / "config.toml").write_text(mine)
    environment = {TOKEN: box.token, "SOURCES__PIPEDRIVE__BASE_URL": box.url}
    asked = len(box.requests)
    assert init("--non-interactive", **environment).exit_code == 2
    assert init(answers=("n",), **environment).exit_code == 2
    assert (folder / "config.toml").read_text() == mine
    assert len(box.requests) == asked
    assert init(answers=("y", "", "", ""), **environment).exit_code == 0
    assert box.url in (folder / "config.toml").read_text()
    (folder / "config.toml").write_text(mine)
    assert init("--non-interactive", "--force", **environment).exit_code == 0
    assert box.url in (folder / "config.toml").read_text()


def test_other_secrets_stay_beside_the_new_token(box: Sandbox, folder: Path) -> None:
    (folder / ".dlt").mkdir()
    secrets = folder / ".dlt" / "secrets.toml"
    secrets.write_text(
        "# mine\n[warehouse]\nencryption_key = 'abc'\n\n[sources.pipedrive]\napi_token = 'old'\n"
    )
    assert init(answers=(box.url, box.token, "", "")).exit_code == 0
    text = secrets.read_text()
    assert text.startswith("# mine\n")
    assert tomllib.loads(text)["warehouse"] == {"encryption_key": "abc"}
    assert load_settings(environment={}).source.api_token == box.token


def test_git_is_told_to_leave_data_and_secrets_alone(box: Sandbox, folder: Path) -> None:
    subprocess.run(["git", "init", "-q", "."], check=True)
    (folder / ".gitignore").write_text("data/\n*.log")
    assert init(answers=(box.url, box.token, "", "")).exit_code == 0
    assert (folder / ".gitignore").read_text() == "data/\n*.log\n/.dlt/secrets.toml\n"
    (folder / "data" / "warehouse.duckdb").touch()
    shown = subprocess.run(
        ["git", "status", "--porcelain", "-uall"], capture_output=True, text=True, check=True
    )
    assert shown.stdout.split() == ["??", ".gitignore", "??", "config.toml"]
    assert init("--force", "--data", ".", answers=(box.url, box.token, "")).exit_code == 0
    for name in (
        "pipedrive.duckdb",
        ".warehouse.duckdb.lock",
        ".warehouse.duckdb.dlt/x",
        "w.duckdb.wal",
    ):
        ignored = subprocess.run(["git", "check-ignore", "-q", name], check=False)
        assert ignored.returncode == 0, name


def test_a_variable_that_wins_over_the_new_file_is_told(box: Sandbox) -> None:
    result = init(
        "--resource",
        "leads",
        answers=(box.url, box.token, ""),
        SOURCES__PIPEDRIVE__RESOURCES="persons",
    )
    assert result.exit_code == 0
    assert "SOURCES__PIPEDRIVE__RESOURCES is set in this shell" in result.stderr


def test_the_file_has_every_key_with_its_default_behind_a_mark(folder: Path) -> None:
    file = folder / "config.toml"
    file.write_text(config_text({}))
    assert read_configuration(file, {}).origins == {}
    lines = [
        line.removeprefix("# ") if " = " in line and line.startswith("# ") else line
        for line in file.read_text().splitlines()
        if not line.startswith("# Column names")
    ]
    file.write_text("\n".join(line for line in lines if not line.startswith("#")))
    found = read_configuration(file, {})
    assert found.problems == []
    assert set(found.origins) == {name for name, key in KEYS.items() if not key.is_secret}
    assert found.values == {name: key.default for name, key in KEYS.items()}


@pytest.mark.parametrize("name", sorted(KEYS))
def test_a_key_that_differs_is_set(name: str, folder: Path) -> None:
    examples: dict[type, Any] = {int: 7, float: 0.25}
    key = KEYS[name]
    value = examples.get(type(key.default))
    if key.is_secret or value is None:
        return
    file = folder / "config.toml"
    file.write_text(config_text({name: value}))
    found = read_configuration(file, {})
    assert (found.problems, found.values[name], set(found.origins)) == ([], value, {name})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("acme", {"sources.pipedrive.company_domain": "acme"}),
        (" Acme.pipedrive.com/leads/list ", {"sources.pipedrive.company_domain": "acme"}),
        ("https://acme.pipedrive.com/", {"sources.pipedrive.company_domain": "acme"}),
        ("http://127.0.0.1:8899/", {"sources.pipedrive.base_url": "http://127.0.0.1:8899"}),
        ("", {}),
    ],
)
def test_a_company_is_understood_however_it_is_written(text: str, expected: dict[str, str]) -> None:
    assert _address(text) == expected


@pytest.mark.parametrize("text", ["a b", "https://", "acme!", "ftp://x", "https://me:pw@x.test"])
def test_what_is_no_company_is_told(text: str) -> None:
    with pytest.raises(Misconfigured):
        _address(text)


def test_a_place_that_a_run_would_refuse_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Sandbox(persons=1) as box:
        monkeypatch.setenv("SOURCES__PIPEDRIVE__API_TOKEN", box.token)
        monkeypatch.setenv("SOURCES__PIPEDRIVE__BASE_URL", box.url)
        refused = CliRunner().invoke(main, ["init", "--non-interactive", "--data", "a%b"])
        assert (refused.exit_code, "has a %" in refused.stderr) == (2, True)
        assert not (tmp_path / "config.toml").exists()
        both = CliRunner().invoke(main, ["init", "--non-interactive", "--company-domain", "acme"])
        assert (both.exit_code, "Give one" in both.stderr) == (2, True)
