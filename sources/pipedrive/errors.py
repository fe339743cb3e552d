"""What can go wrong between us and Pipedrive.

```
SourceError             exit 1
├── Misconfigured       exit 2    no host, an address that is none, a redirect
├── NotAllowed          exit 77
│   ├── NoToken                   no token configured
│   ├── Unauthorized              401: the token is not known
│   └── Forbidden                 403, 402: the token may not read this
├── TryLater            exit 75
│   ├── BudgetSpent               the day's tokens are used up, or down to the reserve
│   ├── Stopped                   somebody wants the run to end
│   ├── Blocked                   an HTML 403: Cloudflare has shut us out
│   ├── Unreachable               an answer that timed out or was cut off
│   │   ├── NoConnection          refused, no such host, no way there
│   │   └── Untrusted             TLS failed
│   ├── BurstLimited              429 again and again
│   ├── ServerTrouble             5xx again and again
│   └── BadAnswer                 not JSON, not a page, success = false
├── NotServed           exit 1    404, 405, 410, 501: the endpoint is not there
└── BadRequest          exit 1    any other 4xx: a fault of ours
```

Every error is one sentence on what is wrong (`message`), one on what to do (`hint`), and the
`exit_code` a command ends with when nothing could be loaded because of it. `kind` is a short word
for the ledger, `status` that of the answer, if one came. What the client does about each is in
`is_retried` and `stops_run`; `rules` has them as one table. None ever holds the token.
"""

from __future__ import annotations

from collections.abc import Iterable


class SourceError(Exception):
    """Base of the tree above."""

    exit_code = 1
    kind = "error"
    status: int | None = None
    is_retried = False
    """Whether the same request may succeed in a moment."""
    stops_run = False
    """Whether every other request would fail as well, or make it worse."""

    def __init__(
        self, message: str, hint: str = "", *, kind: str = "", status: int | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if kind:
            self.kind = kind
        if status is not None:
            self.status = status

    def redact(self, secrets: Iterable[str]) -> None:
        """Take secrets out of the text, in case Pipedrive or a library repeated them."""
        for secret in secrets:
            if len(secret) >= 8:  # anything shorter is no token, and part of many words
                self.message = self.message.replace(secret, "***")
                self.hint = self.hint.replace(secret, "***")
        self.args = (self.message,)


class Misconfigured(SourceError):
    """A setting of the source cannot be used."""

    exit_code = 2
    kind = "configuration"


class NotAllowed(SourceError):
    """Pipedrive knows who is asking, or wants to, and says no."""

    exit_code = 77
    kind = "not allowed"


class NoToken(NotAllowed):
    """No token is configured."""

    stops_run = True


class Unauthorized(NotAllowed):
    """401: the token is unknown, revoked, or of another company."""

    kind = "401"
    stops_run = True


class Forbidden(NotAllowed):
    """403 or 402 with a JSON body: the token's user may not read this."""

    kind = "403"


class TryLater(SourceError):
    """Nothing is wrong that waiting could not mend.

    `retry_after` is how many seconds Pipedrive asks for, where it does.
    """

    exit_code = 75
    kind = "try later"
    retry_after: float | None = None


class BudgetSpent(TryLater):
    """The daily token budget is spent, or down to the share a run leaves to others."""

    kind = "daily budget"
    stops_run = True


class Stopped(TryLater):
    """Nothing is asked any more because somebody wants the run to end: see `Client.stop`."""

    kind = "stopped"
    stops_run = True


class Blocked(TryLater):
    """403 with an HTML body: Cloudflare refuses us after too many requests. Never retried."""

    kind = "blocked"
    stops_run = True


class Unreachable(TryLater):
    """An answer that did not come, or not whole: timed out, reset, cut off."""

    kind = "reset"
    is_retried = True


class NoConnection(Unreachable):
    """No way to the host: refused, no such name, no route. Ends the run once it stays so."""

    kind = "no connection"
    stops_run = True


class Untrusted(Unreachable):
    """TLS failed: whoever answers is not who was asked. Never retried."""

    kind = "tls"
    is_retried = False
    stops_run = True


class BurstLimited(TryLater):
    """429 for the two-second window."""

    kind = "429 burst"
    is_retried = True


class ServerTrouble(TryLater):
    """5xx, after all retries."""

    kind = "5xx"
    is_retried = True


class BadAnswer(TryLater):
    """A body that is not JSON, not a page, cut short, or says `success: false`."""

    kind = "not json"
    is_retried = True


class NotServed(SourceError):
    """404, 405, 410 or 501: this host does not serve this endpoint (any more)."""

    kind = "not served"


class BadRequest(SourceError):
    """Another 4xx: Pipedrive does not accept the request as we sent it."""

    kind = "refused"
