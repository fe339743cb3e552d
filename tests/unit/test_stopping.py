"""Who is told that a run is to end, and that nobody waits any more then."""

from __future__ import annotations

import os
import signal

import pytest

from pipelines.stopping import Stopping, stop_on_sigterm
from sources.pipedrive.client import Client, Token
from sources.pipedrive.errors import Stopped
from sources.pipedrive.hosts import find_host


def test_sigterm_is_heard_only_while_somebody_listens() -> None:
    before = signal.getsignal(signal.SIGTERM)
    told: list[str] = []
    with stop_on_sigterm() as stopping:
        stopping.tell(lambda: told.append("before"))
        assert not stopping.is_asked
        os.kill(os.getpid(), signal.SIGTERM)
        assert stopping.is_asked
        stopping.tell(lambda: told.append("after"))
        stopping.sleep(1_000_000)
    assert told == ["before", "after"]
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_client_that_is_stopped_asks_nothing_and_wants_to_be_tried_later() -> None:
    stopping = Stopping()
    with Client(find_host("", "http://127.0.0.1:9"), Token("x" * 40), max_wait=0) as client:
        stopping.tell(client.stop)
        stopping.ask()
        with pytest.raises(Stopped) as caught:
            client.identify()
        assert client.meter.requests == 0
    assert caught.value.exit_code == 75
    assert caught.value.hint
