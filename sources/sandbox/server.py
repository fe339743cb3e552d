"""The sandbox: an account behind HTTP on loopback."""

import gzip
import hashlib
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import parse_qsl, urlsplit

from sources.sandbox import answers, control, oauth
from sources.sandbox.account import Account
from sources.sandbox.answers import Answer, RefusedError
from sources.sandbox.faults import Fault, Faults
from sources.sandbox.limits import Limits
from sources.sandbox.options import SandboxOptions
from sources.sandbox.routes import Api
from sources.sandbox.seed import seeded

HOST = "127.0.0.1"
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """A request to the API as the log keeps it; `cost` is in tokens, 0 unless it was answered."""

    method: str
    path: str
    params: dict[str, str]
    status: int
    cost: int


class Sandbox:
    """A Pipedrive look-alike at `url`, open between `start` and `close` or inside `with`.

    Takes the options of `SandboxOptions`. `token` goes in the header `x-api-token`,
    `oauth_token`, which never expires, as `Authorization: Bearer`; `oauth` gives out others.
    """

    def __init__(self, options: SandboxOptions | None = None, /, **fields: Any) -> None:
        self.options = options or SandboxOptions(**fields)
        self.token = _fake_token(f"token {self.options.seed}")
        self.oauth_token = f"v1u:{_fake_token(f'oauth {self.options.seed}')}"
        self.account: Account = seeded(self.options)
        self.requests: list[LoggedRequest] = []
        self.api = Api(self.account)
        self.limits = Limits(self.account)
        self.oauth = oauth.OAuth(self.account)
        self.faults = Faults()
        self._not_served: dict[str, int] = {}
        self.serve("v2", self.options.v2, self.options.v2_status)
        self.serve("collection", self.options.collection, self.options.collection_status)
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        """Where the sandbox is served, without a path; raises RuntimeError before `start`."""
        if self._server is None:
            raise RuntimeError("the sandbox is not started")
        return f"http://{HOST}:{self._server.server_port}"

    @property
    def tokens_spent(self) -> int:
        """Tokens spent on the present day of the account's clock."""
        return self.limits.spent

    def start(self) -> Self:
        """Open the port and serve from a thread."""
        self._server = _Server(self)
        serve = self._server.serve_forever
        threading.Thread(target=serve, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def close(self) -> None:
        """Close every connection and the port."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def warm(self, *names: str) -> None:
        """Write the rows of lists beforehand, so that their pages cost next to nothing.

        Names are paths like `v2/persons` or `v1/persons/collection`; none means every list. A
        row of 60 custom fields takes 4 to 7 KB of memory in each form.
        """
        with self.account.lock:
            self.api.warm(names)

    def fault(
        self,
        path: str,
        kind: str,
        times: int | None = 1,
        after: int = 0,
        call: Callable[[], object] | None = None,
        **args: Any,
    ) -> None:
        """Spoil the next answers of the paths that match a glob (`*`, `v1/leads`, `*/persons`).

        `after` requests go through first, then `times` are spoiled (None: all). `kind` and its
        arguments: see `sources.sandbox.faults.KINDS`. `call` runs before the answer is made,
        whatever the kind; the kind `hook` does nothing else.
        """
        with self.account.lock:
            self.faults.add(Fault(path, kind, times, after, args, call))

    def clear_faults(self) -> None:
        """Forget all faults that wait."""
        with self.account.lock:
            self.faults.clear()

    def serve(
        self, api: Literal["v2", "collection"], is_served: bool, status: int | None = None
    ) -> None:
        """Serve a dialect or not; then its paths answer `status` (v2: 404, collection: 410)."""
        if api not in ("v2", "collection"):
            raise ValueError(f"there is no dialect {api!r}, only v2 and collection")
        if is_served:
            self._not_served.pop(api, None)
        else:
            self._not_served[api] = status or (404 if api == "v2" else 410)

    def set_daily_tokens(self, tokens: int) -> None:
        """Change the day's budget; what is spent stays spent."""
        with self.account.lock:
            self.limits.daily_tokens = tokens

    def expire_access_tokens(self) -> None:
        """End every access token that `/oauth/token` gave out."""
        with self.account.lock:
            self.oauth.expire()

    def revoke_refresh_token(self) -> None:
        """Give no access tokens any more."""
        with self.account.lock:
            self.oauth.is_revoked = True

    def state(self) -> dict[str, Any]:
        """Give clock, tokens and what is served, as JSON; never the token."""
        with self.account.lock:
            return {
                "now": self.account.now.isoformat(),
                "is_admin": self.account.is_admin,
                "not_served": dict(self._not_served),
                "tokens_spent": self.limits.spent,
                "tokens_remaining": self.limits.remaining,
                "requests": len(self.requests),
                "records": {
                    entity: len(self.account.visible(entity))
                    for entity in ("person", "organization", "lead", "deal")
                },
            }

    def answer(
        self, method: str, target: str, headers: Callable[[str], str | None], body: bytes = b""
    ) -> Answer:
        """Answer a request with everything but the transport: faults, tokens, headers, log."""
        parts = urlsplit(target)
        if parts.path.startswith(control.PREFIX):
            return control.answer(self, method, parts.path, body)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        with self.account.lock:
            fault = self.faults.take(parts.path)
        if fault and fault.call:
            fault.call()
        with self.account.lock:
            remaining = self.limits.remaining
            if parts.path == oauth.PATH and method == "POST":
                cost, answer = 0, self.oauth.answer(headers("Authorization"), body, self.url)
            else:
                cost, answer = self._answer(method, parts.path, query, headers)
            if fault:
                answer = fault.spoil(answer)
            if answer.status != HTTPStatus.OK:
                cost = 0
            self.limits.spent += cost
            merged = {**self.limits.headers(remaining), **answer.headers}
            answer.headers = {name: value for name, value in merged.items() if value}
            answer.headers["Date"] = format_datetime(self.account.now, usegmt=True)
            query.pop("api_token", None)
            self.requests.append(LoggedRequest(method, parts.path, query, answer.status, cost))
        return answer

    def _answer(
        self,
        method: str,
        path: str,
        query: dict[str, str],
        headers: Callable[[str], str | None],
    ) -> tuple[int, Answer]:
        if "api_token" in query or not (
            headers("x-api-token") == self.token
            or headers("Authorization") == f"Bearer {self.oauth_token}"
            or self.oauth.lets_in(headers("Authorization"))
        ):
            return 0, answers.unauthorized()
        name = path.removeprefix("/api").lstrip("/")
        if name.startswith("v2/") and not path.startswith("/api/"):
            return 0, answers.refusal(404, "Not found")
        api = "v2" if name.startswith("v2/") else "collection" if "/collection" in name else ""
        if api in self._not_served:
            return 0, answers.refusal(self._not_served[api], "Not available")
        endpoint = self.api.endpoints.get(name)
        if endpoint is None:
            return 0, answers.refusal(404, "Not found")
        if method != "GET":
            return 0, answers.refusal(405, "Method not allowed")
        refused = self.limits.refuse(endpoint.cost)
        if refused:
            return endpoint.cost, refused
        try:
            return endpoint.cost, endpoint.answer(query)
        except RefusedError as refusal:
            return endpoint.cost, refusal.answer


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, box: Sandbox) -> None:
        self.box = box
        self._open: dict[Any, threading.Thread] = {}
        super().__init__((HOST, box.options.port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(
            target=self.process_request_thread, args=(request, client_address), daemon=True
        )
        self._open[request] = thread
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        self._open.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away; anything else is a mistake of the sandbox."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def close(self) -> None:
        self.shutdown()
        for request, thread in list(self._open.items()):
            with suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=5)
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing; the sandbox keeps its own log."""

    def _serve(self) -> None:
        box = self.server.box
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = box.answer(self.command, self.path, self.headers.get, body)
        if box.options.latency and not self.path.startswith(control.PREFIX):
            time.sleep(box.options.latency)
        if answer.delivery == "hang":
            self.close_connection = True
            self.connection.recv(1)
        elif answer.delivery != "reset":
            self._send(answer)
        if answer.delivery.startswith("reset"):
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self.rfile.close()
            self.connection.close()

    def _send(self, answer: Answer) -> None:
        headers = {"Content-Type": answer.content_type, **answer.headers}
        content = answer.body
        accepted = self.headers.get("Accept-Encoding", "")
        if self.server.box.options.gzip and "gzip" in accepted and content:
            content = gzip.compress(content, compresslevel=1, mtime=0)
            headers["Content-Encoding"] = "gzip"
        headers["Content-Length"] = str(len(content))
        if answer.delivery in ("cut", "reset_midway"):
            self.close_connection = True
            headers["Connection"] = "close"
            content = content[: len(content) // 2]
        status = HTTPStatus(answer.status) if answer.status in _KNOWN else None
        lines = [f"HTTP/1.1 {answer.status} {status.phrase if status else 'Unknown'}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.wfile.write("\r\n".join([*lines, "\r\n"]).encode("latin-1") + content)


_KNOWN = frozenset(int(status) for status in HTTPStatus)


def _fake_token(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
