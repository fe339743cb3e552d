"""Secrets: in no file, no line, no process list, while a run is going on and afterwards.

And the one secret that changes by itself, the refresh token, which is kept where it came from.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from projects import Project

from sources.sandbox import Sandbox

_PIPEDUCK = (sys.executable, "-c", "from pipelines.cli import main; main()")
_ACCOUNT = {"persons": 30, "organizations": 5, "leads": 5, "deals": 3}


def oauth_environment(box: Sandbox, project: Project) -> dict[str, str]:
    """The project's environment with an OAuth app in place of the token."""
    environment = dict(project.environment)
    del environment["SOURCES__PIPEDRIVE__API_TOKEN"]
    given = {
        "CLIENT_ID": box.oauth.client_id,
        "CLIENT_SECRET": box.oauth.client_secret,
        "REFRESH_TOKEN": box.oauth.refresh_token,
        "OAUTH_URL": f"{box.url}/oauth/token",
    }
    return environment | {f"SOURCES__PIPEDRIVE__{name}": value for name, value in given.items()}


def find(secret: str, folder: Path) -> list[Path]:
    """The files that hold a secret."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return [file for file in files if secret.encode() in file.read_bytes()]


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_while_a_run_goes_on_the_token_is_in_no_process_list_file_or_line(
    log_format: str, tmp_path: Path
) -> None:
    with Sandbox(**_ACCOUNT) as box:
        project = Project(tmp_path, box)
        seen: list[str] = []

        def look() -> None:
            """Called from within a request: the run is in the middle of things."""
            seen.extend(str(file) for file in find(box.token, tmp_path))
            for line in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    if box.token.encode() in line.read_bytes():
                        seen.append(str(line))
                except OSError:  # ended meanwhile
                    continue

        box.fault("*/organizations", "status", times=None, code=503)
        for after in (0, 5, 10):
            box.fault("*", "hook", after=after, call=look)
        ended = subprocess.run(
            [*_PIPEDUCK, "--log-format", log_format, "--debug", "run", "--report", "report.json"],
            env=os.environ | project.environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 3, ended.stderr
        assert (tmp_path / "report.json").exists()
        assert not seen
        assert not find(box.token, tmp_path)
        assert box.token not in ended.stdout + ended.stderr


def test_a_refresh_token_of_the_secrets_file_is_replaced_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox(**_ACCOUNT, oauth_rotates=True) as box:
        project = Project(tmp_path, box)
        project.environment = oauth_environment(box, project)
        first = project.environment.pop("SOURCES__PIPEDRIVE__REFRESH_TOKEN")
        secrets = tmp_path / ".dlt" / "secrets.toml"
        secrets.parent.mkdir()
        secrets.write_text(
            f'# ours\n[sources.pipedrive]\nrefresh_token = "{first}"  # of the app\n', "utf-8"
        )
        secrets.chmod(0o600)
        monkeypatch.chdir(tmp_path)
        assert project.run().exit_code == 0
        text = secrets.read_text("utf-8")
        line = f'refresh_token = "{box.oauth.refresh_token}"  # of the app'
        assert text == f"# ours\n[sources.pipedrive]\n{line}\n"
        assert first not in text
        assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
        assert project.run().exit_code == 0


def test_a_refresh_token_of_the_environment_is_kept_beside_the_working_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Sandbox(**_ACCOUNT, oauth_rotates=True) as box:
        project = Project(tmp_path, box)
        project.environment = oauth_environment(box, project)
        first = box.oauth.refresh_token
        assert project.run().exit_code == 0
        assert box.oauth.refresh_token != first
        assert project.run().exit_code == 0  # with the variable as it was
        (kept,) = find(box.oauth.refresh_token, tmp_path)
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert not find(first, tmp_path)
        for secret in (first, box.oauth.refresh_token, box.oauth.client_secret):
            assert secret not in capsys.readouterr().err
        # a variable that somebody has set anew counts again
        project.environment["SOURCES__PIPEDRIVE__REFRESH_TOKEN"] = box.oauth.refresh_token
        assert project.run().exit_code == 0


def test_a_refresh_token_that_was_revoked_is_not_allowed(tmp_path: Path) -> None:
    from sources.pipedrive.errors import Unauthorized

    with Sandbox(**_ACCOUNT) as box:
        project = Project(tmp_path, box)
        project.environment = oauth_environment(box, project)
        box.oauth.is_revoked = True
        with pytest.raises(Unauthorized) as refused:
            project.run()
        assert refused.value.exit_code == 77
        assert project.value("select exit_code from ops.runs") == 77
