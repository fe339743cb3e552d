"""What can go wrong between us and Pipedrive.

```
SourceError             exit 1
├── Misconfigured       exit 2    no host, an address that is none, an unknown resource
├── NotAllowed          exit 77
│   ├── NoToken                   no token configured
│   ├── Unauthorized              401: the token is not known
│   └── Forbidden                 403, 402: the token may not read this
├── TryLater            exit 75
│   ├── BudgetSpent               the day's tokens are used up, or down to the reserve
│   ├── Blocked                   an HTML 403: Cloudflare has shut us out
│   ├── Unreachable               refused, timed out, no such host, TLS, cut off
│   ├── BurstLimited              429 again and again
│   ├── ServerTrouble             5xx again and again
│   └── BadAnswer                 not JSON, not a page, success = false
├── NotServed           exit 1    404, 405, 410, 501: the endpoint is not there
└── BadRequest          exit 1    any other 4xx: a fault of ours
```

Every error is one sentence on what is wrong (`message`), one on what to do (`hint`), and the
`exit_code` a command ends with when nothing could be loaded because of it. None ever holds the
token.
"""

from __future__ import annotations


class SourceError(Exception):
    """Base of the tree above."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def redact(self, secret: str) -> None:
        """Take a secret out of the text, in case Pipedrive or a library repeated it."""
        if len(secret) >= 8:  # anything shorter is no token, and part of many words
            self.message = self.message.replace(secret, "***")
            self.args = (self.message,)


class Misconfigured(SourceError):
    """A setting of the source cannot be used."""

    exit_code = 2


class NotAllowed(SourceError):
    """Pipedrive knows who is asking, or wants to, and says no."""

    exit_code = 77


class NoToken(NotAllowed):
    """No token is configured."""


class Unauthorized(NotAllowed):
    """401: the token is unknown, revoked, or of another company."""


class Forbidden(NotAllowed):
    """403 or 402 with a JSON body: the token's user may not read this."""


class TryLater(SourceError):
    """Nothing is wrong that waiting could not mend."""

    exit_code = 75


class BudgetSpent(TryLater):
    """The daily token budget is spent, or down to the share a run leaves to others."""


class Blocked(TryLater):
    """403 with an HTML body: Cloudflare refuses us after too many requests. Never retried."""


class Unreachable(TryLater):
    """No answer: connection refused or reset, time-out, unknown host, TLS failure."""


class BurstLimited(TryLater):
    """429 for the two-second window. `retry_after` is how many seconds Pipedrive asks for."""

    retry_after: float = 2.0


class ServerTrouble(TryLater):
    """5xx, after all retries."""


class BadAnswer(TryLater):
    """A body that is not JSON, not a page, cut short, or says `success: false`."""


class NotServed(SourceError):
    """404, 405, 410 or 501: this host does not serve this endpoint (any more)."""


class BadRequest(SourceError):
    """Another 4xx: Pipedrive does not accept the request as we sent it."""
