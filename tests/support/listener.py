"""An HTTP server on loopback that keeps what it is sent, for tests of notifications."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Received:
    method: str
    path: str
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Listener:
    """`status` is what it answers; while `is_silent` it does not answer at all."""

    url: str = ""
    status: int = 200
    location: str = ""
    is_silent: bool = False
    received: list[Received] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def paths(self) -> list[tuple[str, str]]:
        return [(request.method, request.path) for request in self.received]


@contextmanager
def listening(**options: Any) -> Iterator[Listener]:
    listener = Listener(**options)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._keep()

        def do_POST(self) -> None:
            self._keep()

        def _keep(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            listener.received.append(
                Received(self.command, self.path, body, dict(self.headers.items()))
            )
            if listener.is_silent:
                listener.ended.wait(30)
                return
            self.send_response(listener.status)
            if listener.location:
                self.send_header("Location", listener.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        listener.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield listener
        finally:
            listener.ended.set()
            server.shutdown()
            thread.join()
