"""The same options give the same bytes; sizes and the clock are as asked."""

import signal
import subprocess
import sys

from sandbox_client import ask, get

from sources.sandbox import Sandbox
from sources.sandbox.__main__ import parse
from sources.sandbox.options import SandboxOptions
from sources.sandbox.seed import seeded
from sources.sandbox.truth import truth

PATHS = (
    "/v1/leads",
    "/v1/leads/archived",
    "/v1/leadFields",
    "/v1/personFields",
    "/v1/persons/collection",
    "/api/v2/persons",
    "/api/v2/organizations",
    "/api/v2/dealFields",
)


def test_the_same_seed_gives_the_same_bytes_through_the_same_life() -> None:
    with Sandbox(seed=9) as one, Sandbox(seed=9) as other:
        assert one.token == other.token
        for _ in range(2):
            for path in PATHS:
                assert get(one, path, limit=500).body == get(other, path, limit=500).body
            assert one.account.live(24) == other.account.live(24)


def test_another_seed_gives_another_account() -> None:
    one, other = (seeded(SandboxOptions(seed=seed)) for seed in (1, 2))
    assert truth(one)["persons"] != truth(other)["persons"]
    assert {x.key for x in one.custom_fields("person")}.isdisjoint(
        x.key for x in other.custom_fields("person")
    )


def test_sizes_are_as_asked_down_to_nothing() -> None:
    empty = truth(seeded(SandboxOptions(persons=0, organizations=0, leads=0, archived_leads=0)))
    assert empty["persons"] == empty["organizations"] == empty["leads"] == []
    account = truth(seeded(SandboxOptions(persons=7, leads=3, archived_leads=2, fields=60)))
    assert len(account["persons"]) == 7
    assert [lead["is_archived"] for lead in account["leads"]].count(True) == 2
    assert len(account["fields"]["person"]) == 60


def test_history_lies_before_the_clock_and_has_ties() -> None:
    account = seeded(SandboxOptions(persons=200))
    times = [person.update_time for person in account.persons.values()]
    assert max(x for x in times if x) < account.now
    assert max(times.count(x) for x in times) >= 20
    assert all(x.update_time >= x.add_time for x in account.persons.values() if x.update_time)


def test_the_command_line_takes_every_option() -> None:
    line = "--persons 200 --archived-leads 40 --no-v2 --nulls last --null-update-time 0.5 --port 0"
    options = parse(line.split())
    assert options == SandboxOptions(
        persons=200, archived_leads=40, v2=False, nulls="last", null_update_time=0.5
    )
    assert parse([]).port == 8899


def test_the_command_serves_until_it_is_told_to_stop() -> None:
    command = [sys.executable, "-m", "sources.sandbox", "--port", "0", "--persons", "3"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        url, token = process.stdout.readline().strip(), process.stdout.readline().strip()
        assert len(ask(f"{url}/api/v2/persons", {"x-api-token": token}).data) == 3
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
