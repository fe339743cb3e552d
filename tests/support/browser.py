"""A headless Chromium, spoken to over a pipe: what a page logs and asks for, and how it looks.

The DevTools protocol over `--remote-debugging-pipe` is JSON between NUL characters on two file
descriptors, so it needs neither a library nor a port. https://chromedevtools.github.io/devtools-protocol
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
"""Where Chromium is; None: it is not installed."""

_FLAGS = (
    "--headless",
    "--no-sandbox",  # it cannot make one as root
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
_START = """
import os, sys
os.dup2(int(sys.argv[1]), 3)  # where Chromium reads
os.dup2(int(sys.argv[2]), 4)  # where it writes
os.execv(sys.argv[3], sys.argv[3:])
"""
_PROBLEMS = {"Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"}


@dataclass
class Page:
    """A page as it was loaded: `problems` it logged, and the addresses it asked for."""

    browser: Browser
    session: str
    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def value(self, expression: str) -> Any:
        """The value of a JavaScript expression, awaited."""
        found = self.browser.call(
            "Runtime.evaluate",
            {"expression": expression, "returnByValue": True, "awaitPromise": True},
            self.session,
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def press(self, key: str, code: int) -> None:
        """Press a key that types nothing, like Tab (9) or Enter (13)."""
        for kind in ("keyDown", "keyUp"):
            event = {"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code}
            if key == "Enter" and kind == "keyDown":
                event["text"] = "\r"
            self.browser.call("Input.dispatchKeyEvent", event, self.session)

    def picture(self, file: Path, height: int | None = None) -> None:
        """A PNG of the page from its top, `height` pixels of it or all."""
        size = self.value("[innerWidth, document.documentElement.scrollHeight]")
        clip = {"x": 0, "y": 0, "width": size[0], "height": height or size[1], "scale": 1}
        shot = self.browser.call(
            "Page.captureScreenshot",
            {"format": "png", "clip": clip, "captureBeyondViewport": True},
            self.session,
        )
        file.write_bytes(base64.b64decode(shot["data"]))


class Browser:
    """A running Chromium."""

    def __init__(self, process: subprocess.Popen[bytes], send: int, receive: int) -> None:
        self._process = process
        self._send = send
        self._receive = receive
        self._rest = b""
        self._number = 0
        self._events: deque[dict[str, Any]] = deque()

    def open(
        self,
        file: Path,
        *,
        width: int,
        height: int = 900,
        scheme: Literal["light", "dark"] = "light",
    ) -> Page:
        """Load a file in a window of that size, under a system with that colour scheme."""
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable", {}, session)
        self.call(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
            session,
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", {"features": features}, session)
        self._events.clear()
        page = Page(self, session)
        self.call("Page.navigate", {"url": file.resolve().as_uri()}, session)
        while True:
            event = self._events.popleft() if self._events else self._read()
            if event["method"] == "Page.loadEventFired":
                break
            _note(event, page)
        page.value("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
        while self._events:
            _note(self._events.popleft(), page)
        return page

    def call(self, method: str, params: dict[str, Any], session: str = "") -> dict[str, Any]:
        """Call a method of the protocol and give its result; events meanwhile are kept."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self._send, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return dict(answer["result"])
            self._events.append(answer)

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            read = os.read(self._receive, 1 << 20)
            assert read, "Chromium has ended"
            self._rest += read
        message, _, self._rest = self._rest.partition(b"\0")
        return dict(json.loads(message))


def _note(event: dict[str, Any], page: Page) -> None:
    if event["method"] in _PROBLEMS:
        page.problems.append(json.dumps(event["params"]))
    if event["method"] == "Network.requestWillBeSent":
        page.requests.append(event["params"]["request"]["url"])


def _high(descriptor: int) -> int:
    """The same pipe under a number that is not in the way of 3 and 4."""
    high = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    return high


@contextmanager
def browser() -> Iterator[Browser]:
    """A Chromium with a profile of its own, ended afterwards."""
    assert CHROMIUM
    theirs, ours = map(_high, os.pipe())
    mine, yours = map(_high, os.pipe())
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        started = [CHROMIUM, *_FLAGS, f"--user-data-dir={profile}"]
        process = subprocess.Popen(
            [sys.executable, "-c", _START, str(theirs), str(yours), *started],
            pass_fds=(theirs, yours),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs)
        os.close(yours)
        opened = Browser(process, ours, mine)
        try:
            yield opened
            opened.call("Browser.close", {})
        finally:
            os.close(ours)
            os.close(mine)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
