"""One run at a time, and what is said to those who come second."""

from __future__ import annotations

import json
import os
import re
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from others import run_with, tool_with
from projects import Project

from pipelines.fields import prune
from pipelines.narration import Narrator
from pipelines.queries import generated_sql
from pipelines.readings import Scope
from pipelines.run import rebuild, run
from sources.sandbox import Sandbox
from warehouse.connect import open_working, open_working_read_only
from warehouse.errors import AlreadyRunning, WarehouseLocked, WarehouseUnusable
from warehouse.files import note_file
from warehouse.lock import Running, find_running, hold


def test_a_second_run_is_told_who_runs_since_when_and_how_far_it_is(tmp_path: Path) -> None:
    file = tmp_path / "data" / "w.duckdb"
    with run_with(file, "reconcile", "persons: 12,000 rows") as other:
        with pytest.raises(AlreadyRunning) as caught, hold(file, "run"):
            pass
        running = find_running(file)
    assert re.fullmatch(
        rf"Pid {other.pid} runs `pipeduck reconcile` since \d\d:\d\d:\d\d UTC "
        rf"\(persons: 12,000 rows\), on {re.escape(str(file))}\.",
        caught.value.message,
    )
    assert caught.value.exit_code == 75
    assert caught.value.hint
    assert running
    assert (running.pid, running.command) == (other.pid, "reconcile")
    assert list(file.parent.glob("*.duckdb")) == [], "nothing is opened before the lock is taken"


def test_a_run_that_was_killed_is_no_obstacle_and_its_note_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "w.duckdb"
    with run_with(file, "run", "leads: 1 row") as other:
        other.kill()
    assert json.loads(note_file(file).read_text())["pid"] == other.pid
    assert find_running(file) is None
    with hold(file, "transform") as lock:
        lock.identify("20260515T100304Z-abcdef")
        found = json.loads(note_file(file).read_text())
        assert (found["pid"], found["run_id"]) == (os.getpid(), "20260515T100304Z-abcdef")
        assert found["progress"] is None
    assert not note_file(file).exists()
    lock.tell("too late")
    assert not note_file(file).exists()


def test_two_threads_of_one_process_are_two_runs(tmp_path: Path) -> None:
    file = tmp_path / "w.duckdb"
    refused: list[AlreadyRunning] = []

    def second() -> None:
        try:
            with hold(file, "run"):
                pass
        except AlreadyRunning as error:
            refused.append(error)

    with hold(file, "run"):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
        assert f"Pid {os.getpid()} runs" in refused[0].message
    second()
    assert len(refused) == 1


def test_a_note_that_cannot_be_read_still_keeps_the_second_run_away(tmp_path: Path) -> None:
    file = tmp_path / "w.duckdb"
    with hold(file, "run"):
        note_file(file).write_text("{")
        with pytest.raises(AlreadyRunning, match="Another run of pipeduck is going on"):
            hold(file, "run").__enter__()
        assert find_running(file) == Running()


def test_what_is_told_often_is_written_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = 100.0
    file = tmp_path / "w.duckdb"

    def written() -> object:
        return json.loads(note_file(file).read_text())["progress"]

    with hold(file, "run") as lock:
        monkeypatch.setattr("warehouse.lock._now", lambda: seconds)
        lock.identify("a run")
        seconds = 100.9
        lock.tell("too soon")
        assert written() is None
        seconds = 101.1
        lock.tell("in time")
        assert written() == "in time"


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_lock_and_note_are_their_owners_from_the_beginning(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with hold(tmp_path / "w.duckdb", "run"):
            for file in tmp_path.iterdir():
                assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name
            assert len(list(tmp_path.iterdir())) == 2
        assert os.umask(umask) == umask, "the umask is put back"
    finally:
        os.umask(before)


def test_a_folder_that_cannot_be_written_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file", Path("/sys")):  # not even root writes there
        with pytest.raises(WarehouseUnusable, match=r"cannot be (made|taken)") as caught:
            hold(folder / "w.duckdb", "run").__enter__()
        assert caught.value.exit_code == 2
        assert "[warehouse]" in caught.value.hint


@pytest.fixture
def box() -> Sandbox:
    return Sandbox(leads=3, persons=4, organizations=2)


def test_no_command_does_anything_beside_a_run(
    box: Sandbox, project_of: Callable[..., Project]
) -> None:
    with box, Narrator() as narrator:
        project = project_of(box)
        project.run()
        settings = project.settings()
        asked = len(box.requests)
        before = (project.folder / "warehouse.duckdb").read_bytes()
        with run_with(settings.warehouse.path):
            for command in (
                lambda: run(settings, narrator),
                lambda: run(settings, narrator, Scope(command="reconcile", is_whole=True)),
                lambda: rebuild(settings, narrator, is_full=True),
                lambda: prune(settings, narrator),
            ):
                with pytest.raises(AlreadyRunning):
                    command()
        assert len(box.requests) == asked
        assert (project.folder / "warehouse.duckdb").read_bytes() == before
        assert project.run().exit_code == 0


def test_a_run_tells_those_who_wait_how_far_it_is(
    box: Sandbox, project_of: Callable[..., Project]
) -> None:
    class Listening(Narrator):
        def say(self, text: str, *args: object, **fields: object) -> None:
            super().say(text)
            seen.append(find_running(file))

    seen: list[Running | None] = []
    with box:
        project = project_of(box)
        file = project.folder / "warehouse.duckdb"
        with Listening() as narrator:
            result = run(project.settings(), narrator)
    told = [running for running in seen if running]
    assert told
    assert {(running.pid, running.command) for running in told} == {(os.getpid(), "run")}
    assert told[-1].run_id == result.run_id
    assert find_running(file) is None


@pytest.mark.parametrize("is_reader", [True, False])
def test_a_tool_that_holds_the_working_file_is_named_and_nothing_is_lost(
    tmp_path: Path, is_reader: bool
) -> None:
    file = tmp_path / "w.duckdb"
    with open_working(file) as connection:
        connection.execute("create table t as select 42 as x")
    with tool_with(file, is_reader=is_reader) as tool:
        with pytest.raises(WarehouseLocked) as caught, open_working(file):
            pass
        assert f"pid {tool.pid}" in caught.value.message
        assert "python" in caught.value.message
        assert "published" in caught.value.hint
        assert caught.value.exit_code == 75
        assert tool.ask("select x from t") == "[(42,)]"
    with open_working(file) as connection:
        assert connection.execute("select x from t").fetchall() == [(42,)]


def test_a_run_that_finds_the_working_file_held_asks_pipedrive_nothing(
    box: Sandbox, project_of: Callable[..., Project]
) -> None:
    with box:
        project = project_of(box)
        project.run()
        asked = len(box.requests)
        with tool_with(project.folder / "warehouse.duckdb", is_reader=True):
            with pytest.raises(WarehouseLocked, match="pid"):
                project.run()
            assert len(box.requests) == asked
        assert project.run().exit_code == 0


def test_a_person_who_opens_the_working_file_during_a_run_is_told_who_has_it(
    box: Sandbox, project_of: Callable[..., Project]
) -> None:
    with box:
        project = project_of(box)
        # a run in another process holds it just so
        with (
            tool_with(project.folder / "warehouse.duckdb") as tool,
            pytest.raises(WarehouseLocked, match=f"pid {tool.pid}"),
        ):
            generated_sql(project.settings(), "leads")


def test_a_connection_of_the_same_process_is_told_apart(tmp_path: Path) -> None:
    file = tmp_path / "w.duckdb"
    with duckdb.connect(str(file)), pytest.raises(WarehouseLocked, match="this same process"):
        open_working(file).__enter__()
    with open_working(file), pytest.raises(WarehouseLocked, match="this same process"):
        open_working_read_only(file).__enter__()
