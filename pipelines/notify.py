"""`[notify]`: a webhook, pings of a healthcheck, and a text file for Prometheus.

A notification never fails a run: what cannot be told is one warning line. The addresses hold
secrets, so they stand in no line, and redirects are not followed with what is sent.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from sources.pipedrive.endpoints import TABLES

from .config import Settings
from .errors import is_told
from .masking import without_secrets
from .metrics import write_metrics
from .narration import Narrator

if TYPE_CHECKING:
    from sources.pipedrive.budget import DailyBudget
    from sources.pipedrive.client import Client

    from .outcome import RunResult

End = Literal["success", "partial", "later", "failure"]
_TIMEOUT = 10.0  # seconds, for the connection and for each wait for an answer
_ENDS: dict[int, End] = {0: "success", 3: "partial", 75: "later"}


@dataclass
class News:
    """What is told of a run, filled in while it goes on; the webhook has the same names.

    `outcome` is `success`, `partial` (exit code 3), `later` (75) or `failure`.
    """

    command: str
    started_time: datetime = field(default_factory=lambda: datetime.now(UTC))
    run_id: str | None = None
    company: str | None = None
    outcome: End = "success"
    exit_code: int = 0
    error: str | None = None
    rows: int = 0
    requests: int = 0
    tokens: int = 0
    seconds: float = 0.0
    is_published: bool = False
    budget: DailyBudget | None = None
    live_rows: Mapping[str, int] = field(default_factory=dict)
    """Rows that are not gone, by public table."""
    client: Client | None = None
    """Asked at the end for what the run has cost, also where an error ended it; not told."""

    def end(self, result: RunResult) -> RunResult:
        """Take over how the run ended; returns the same."""
        self.run_id = result.run_id
        self._end(result.exit_code, result.error)
        self.rows = sum(progress.rows_loaded for progress in result.progress)
        self.requests, self.tokens = result.requests, result.tokens
        self.is_published = result.is_published
        live = {p.entity: p.rows_live for p in result.progress if p.rows_live is not None}
        self.live_rows = {
            table: sum(live[name] for name in lists)
            for table, lists in TABLES.items()
            if live.keys() >= set(lists)
        }
        return result

    def close(self, narrator: Narrator, seconds: float) -> None:
        """Take over what is known once all is over."""
        self.seconds = seconds
        self.run_id = self.run_id or narrator.log.run_id
        if self.client:
            cost = self.client.meter
            self.requests, self.tokens = cost.requests, cost.tokens
            self.budget = self.client.daily

    def fail(self, error: Exception) -> None:
        """Take over the error that ended the run."""
        self._end(error.exit_code if is_told(error) else 1, error)

    def _end(self, exit_code: int, error: Exception | None) -> None:
        self.exit_code = exit_code
        self.outcome = _ENDS.get(exit_code, "failure")
        if error is not None:
            self.error = error.message if is_told(error) else f"{type(error).__name__}: {error}"

    @property
    def text(self) -> str:
        """One or two sentences for a person."""
        of = f" of {self.company}" if self.company else ""
        ended = {
            "success": "is done",
            "partial": "is done in part",
            "later": "will have to be tried again",
            "failure": "failed",
        }[self.outcome]
        cost = f"{self.rows:,} rows, {self.requests:,} requests, {self.tokens:,} tokens"
        error = f" {self.error}" if self.error else ""
        return f"pipeduck {self.command}{of} {ended}: {cost}, {self.seconds:.0f} s.{error}"

    def as_dict(self) -> dict[str, Any]:
        """For the webhook: Slack shows `text` and passes over the rest."""
        told = replace(self, client=None, seconds=round(self.seconds, 3))
        fields = asdict(told) | {"started_time": f"{self.started_time:%Y-%m-%dT%H:%M:%SZ}"}
        del fields["client"]
        return {"text": self.text, **fields}


@contextmanager
def announced(
    settings: Settings, narrator: Narrator, command: str, *, timeout: float = _TIMEOUT
) -> Iterator[News]:
    """Tell whoever is configured, at the end of the block, how a command ended.

    The block fills in the news. An error that leaves it is told as the end and goes on; a run that
    is cut off by Ctrl+C is a failure too.
    """
    news = News(command)
    begun = time.monotonic()
    try:
        yield news
    except Exception as error:  # whatever ended the command is what is told
        news.fail(error)
        raise
    except BaseException:
        news.outcome, news.exit_code, news.error = "failure", 1, "It was stopped from outside."
        raise
    finally:
        news.close(narrator, time.monotonic() - begun)
        if news.error:
            news.error = without_secrets(news.error, settings)
        tell(settings, narrator, news, timeout=timeout)


def tell(settings: Settings, narrator: Narrator, news: News, *, timeout: float = _TIMEOUT) -> None:
    """Tell everybody who is configured how a run ended. Raises nothing.

    What is to be tried later pings nobody: a healthcheck alarms when successes stay away for
    longer than it was told to wait.
    """
    notify = settings.notify
    if notify.healthcheck and news.outcome == "success":
        ping(settings, narrator, "", timeout=timeout)
    elif notify.healthcheck and news.outcome != "later":
        ping(settings, narrator, "/fail", news.text, timeout=timeout)
    if notify.webhook and news.outcome in notify.on:
        _send(narrator, "The webhook", notify.webhook, timeout, json=news.as_dict())
    if notify.metrics:
        try:
            write_metrics(notify.metrics, news)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            narrator.warn(f"{notify.metrics} cannot be written: {reason}.", "notify")


def ping(
    settings: Settings, narrator: Narrator, path: str, body: str = "", *, timeout: float = _TIMEOUT
) -> None:
    """Ping the healthcheck, if there is one: GET its address and `path`, or POST `body` there."""
    if url := settings.notify.healthcheck:
        _send(narrator, "The healthcheck", url.rstrip("/") + path, timeout, text=body)


def _send(
    narrator: Narrator,
    who: str,
    url: str,
    timeout: float,
    *,
    json: Mapping[str, Any] | None = None,
    text: str = "",
) -> None:
    """One request; a failure is a warning without the address, which library errors repeat."""
    import requests

    is_post = json is not None or bool(text)
    try:
        with requests.request(
            "POST" if is_post else "GET",
            url,
            json=json,
            data=text.encode() or None,
            timeout=timeout,
            allow_redirects=False,
            stream=True,  # nobody reads the answer
        ) as response:
            if response.status_code >= 300:
                narrator.warn(f"{who} answered {response.status_code}.", "notify")
    except requests.Timeout:
        narrator.warn(f"{who} did not answer in {timeout:g} seconds.", "notify")
    except requests.ConnectionError:
        narrator.warn(f"{who} cannot be reached.", "notify")
    except Exception as error:  # whatever a notification meets, the run has ended as it has
        narrator.warn(f"{who} cannot be told: {type(error).__name__}.", "notify")
