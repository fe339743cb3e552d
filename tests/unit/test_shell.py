"""The shell: statements, commands with a dot, the prompt with completion and history."""

from __future__ import annotations

import io
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from pipelines.config import Settings, load_settings
from pipelines.shell import COMMANDS, Leave, Shell, is_complete, statements
from pipelines.shell_prompt import SqlCompleter, history_file, prompted
from warehouse.errors import QueryError, WarehouseError
from warehouse.files import replace_file

ROOT = Path(__file__).parents[2]
NAMES = {"leads": ["id", "title", "owner_name"], "persons": ["id", "name"]}


def make_published(file: Path, leads: int = 2) -> None:
    with duckdb.connect(str(file)) as connection:
        connection.execute(
            "create table leads as"
            f" select i as id, 'Lead; ' || i as title from range(1, {leads + 1}) r(i)"
        )
        connection.execute("comment on table leads is 'One row per lead.'")
        connection.execute("comment on column leads.title is 'Title'")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    make_published(tmp_path / "pipedrive.duckdb")
    return {
        "WAREHOUSE__PATH": str(tmp_path / "warehouse.duckdb"),
        "WAREHOUSE__PUBLISH": str(tmp_path / "pipedrive.duckdb"),
    }


@pytest.fixture
def settings(environment: dict[str, str]) -> Settings:
    return load_settings(environment=environment)


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def shell(settings: Settings, out: io.StringIO) -> Iterator[Shell]:
    with Shell(settings, out) as shell:
        yield shell


@pytest.fixture
def keys() -> Iterator[PipeInput]:
    with create_pipe_input() as keys:
        yield keys


@pytest.mark.parametrize(
    ("text", "is_whole"),
    [
        ("", True),
        (".tables", True),
        ("select 1", False),
        ("select 1;", True),
        ("select 1; -- that is all", True),
        ("select 1 -- not yet;", False),
        ("select ';", False),
        ("select ';'", False),
        ("select 'it''s;' ;", True),
        (r"select e'it\';' ;", True),
        ('select ";" from x', False),
        ("select $$;$$", False),
        ("select $a$ $$; $a$;", True),
        ("/* ; ", False),
        ("select 1 /* ; */ ;", True),
    ],
)
def test_a_semicolon_ends_a_statement_outside_of_quotes_and_comments(
    text: str, is_whole: bool
) -> None:
    assert is_complete(text) is is_whole


def test_lines_become_statements_and_the_last_needs_no_semicolon() -> None:
    lines = [".mode csv\n", "\n", "select ';\n", "' as x;\n", "select 2\n"]
    assert list(statements(lines)) == [".mode csv\n", "select ';\n' as x;\n", "select 2\n"]


def test_commands_with_a_dot(shell: Shell, out: io.StringIO) -> None:
    shell.handle(".tables")
    assert "One row per lead." in out.getvalue()
    shell.handle(".columns Leads;")
    assert "Lead; 1" in out.getvalue()
    shell.handle(".help")
    assert all(command in out.getvalue() for command in COMMANDS)
    out.truncate(0)
    shell.handle(".mode csv")
    shell.handle("select title from leads order by id;")
    shell.handle(".mode")
    assert out.getvalue().strip("\0") == "title\nLead; 1\nLead; 2\ncsv\n"
    for command in (".quit", ".exit"):
        with pytest.raises(Leave):
            shell.handle(command)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (".bogus", "no command .bogus"),
        (".columns", "wants more: .columns TABLE"),
        (".columns lead", "no table lead"),
        (".mode xlsx", "no mode xlsx"),
        (".export out.xyz", "does not say a format"),
        (".export out.csv", "no query to export"),
        ("selec 1;", "syntax error"),
        ("copy leads to 'leak.csv';", "file system operations are disabled"),
    ],
)
def test_what_cannot_be_done_is_told_and_the_shell_goes_on(
    shell: Shell, out: io.StringIO, text: str, words: str
) -> None:
    with pytest.raises(WarehouseError, match=words):
        shell.handle(text)
    shell.handle(".mode csv")
    shell.handle("select 1 as x;")
    assert out.getvalue() == "x\n1\n"


def test_the_last_query_is_exported_whole_and_not_over_our_own_files(
    shell: Shell, tmp_path: Path
) -> None:
    shell.handle("select i, title from leads, range(200) r(i);")
    with pytest.raises(QueryError):
        shell.handle("select nothing;")
    shell.handle(f".export '{tmp_path}/out.parquet'")
    assert pq.read_metadata(tmp_path / "out.parquet").num_rows == 400
    shell.handle(f".export {tmp_path}/out.csv")
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 401
    (tmp_path / "pipedrive.csv").symlink_to(tmp_path / "pipedrive.duckdb")
    with pytest.raises(QueryError, match="own file"):
        shell.handle(f".export {tmp_path}/pipedrive.csv")


def test_a_newer_published_file_is_told_once_and_opened_on_demand(
    shell: Shell, out: io.StringIO, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.handle(".mode csv")
    shell.handle("create temp table mine as select 1 as x;")
    make_published(tmp_path / "next.duckdb", leads=5)
    replace_file(tmp_path / "next.duckdb", tmp_path / "pipedrive.duckdb")
    for _ in range(2):
        shell.handle("select count(*) as n from leads, mine;")
    assert capsys.readouterr().err.count(".reload") == 1
    shell.handle(".reload")
    shell.handle("select count(*) as n from leads;")
    assert out.getvalue().splitlines()[-5:] == ["2", "n", "2", "n", "5"]
    assert shell.names == {"leads": ["id", "title"]}


def completions(text: str) -> list[str]:
    completer = SqlCompleter(NAMES, ["select", "from", "order"])
    found = completer.get_completions(Document(text), CompleteEvent())
    return [completion.text for completion in found]


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("sel", ["select"]),
        ("select * from ", ["leads", "persons"]),
        ("select * FROM p", ["persons"]),
        ("from leads join ", ["leads", "persons"]),
        (".col", [".columns"]),
        (".columns l", ["leads"]),
        ("from leads order by o", ["owner_name", "order"]),
        ("select l. from leads as l where l.", ["id", "title", "owner_name"]),
        ("from persons p where p.n", ["name"]),
        ("select leads.t", ["title"]),
        ("select nothing.t", []),
        ("select ", []),
    ],
)
def test_what_fits_at_the_cursor_is_offered(text: str, offered: list[str]) -> None:
    assert completions(text) == offered


def test_the_prompt_takes_many_lines_forgets_on_ctrl_c_and_ends_with_ctrl_d(
    keys: PipeInput, tmp_path: Path
) -> None:
    history = tmp_path / "state" / "history"
    texts = prompted(NAMES, [], history=history, terminal=(keys, DummyOutput()))
    keys.send_text("select 1\rfrom leads;\r")
    assert next(texts) == "select 1\nfrom leads;"
    keys.send_text("select oops\x03.help\r")
    assert next(texts) == ".help"
    keys.send_text("\x1b[A\x1b[A\r")  # twice up
    assert next(texts) == "select 1\nfrom leads;"
    keys.send_text("\x04")
    assert list(texts) == []
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    keys.send_text("\x1b[A\r")  # what was typed in an earlier shell
    texts = prompted(NAMES, [], history=history, terminal=(keys, DummyOutput()))
    assert next(texts) == "select 1\nfrom leads;"


def test_the_history_is_where_it_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert history_file() == tmp_path / "pipeduck" / "shell_history"
    monkeypatch.setenv("PIPEDUCK_HISTORY", str(tmp_path / "mine"))
    assert history_file() == tmp_path / "mine"
    monkeypatch.setenv("PIPEDUCK_HISTORY", "")
    assert history_file() is None


def test_a_history_that_cannot_be_written_is_kept_in_memory(
    keys: PipeInput, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("x")
    history = tmp_path / "file" / "history"
    keys.send_text("select 1;\r")
    assert next(prompted(NAMES, [], history=history, terminal=(keys, DummyOutput())))


def test_from_a_pipe_statements_run_after_an_error_and_the_exit_code_tells(
    environment: dict[str, str], tmp_path: Path
) -> None:
    script = "from pipelines.cli import main; main(prog_name='pipeduck')"
    done = subprocess.run(
        [sys.executable, "-c", script, "shell"],
        input=".mode csv\nselect count(*) as n\nfrom leads;\nfrom nix;\nselect 2 as m",
        env={**environment, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path / "home")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "n\n2\nm\n2\n"
    assert "Table with name nix does not exist." in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == 2
    assert not (tmp_path / "home").exists(), "a pipe has no history"


def test_help_imports_nothing_of_the_prompt() -> None:
    script = (
        "import sys\n"
        "from pipelines.cli import main\n"
        "try: main(['shell', '--help'], prog_name='pipeduck')\n"
        "except SystemExit: pass\n"
        "print(sorted({'prompt_toolkit', 'pygments', 'duckdb', 'rich'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
