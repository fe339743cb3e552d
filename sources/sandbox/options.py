"""What a sandbox can be asked to be: one frozen value, for `Sandbox(...)` and for commands."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """Size, character and limits of a sandbox; the same options give the same bytes.

    Counts are records at the start. `fields` is the least number of custom fields on persons
    (one of every type and the awkward ones are always there). Shares are between 0 and 1.
    """

    persons: int = 40
    organizations: int = 20
    leads: int = 30
    archived_leads: int = 10
    deals: int = 5
    archived_deals: int = 2
    fields: int = 0
    seed: int = 1
    port: int = 0
    start: str = "2026-06-01T08:00:00Z"
    """The account's clock at the start."""

    admin: bool = True
    """Whether the token's user is a global admin; others may not read the collections."""
    v2: bool = True
    v2_status: int = 404
    """What `/api/v2` answers when `v2` is off."""
    collection: bool = True
    collection_status: int = 410
    """What `/v1/*/collection` answers when `collection` is off."""
    v2_unset: Literal["null", "absent"] = "null"
    """Unset custom fields of a v2 record: null keys or no keys; which one is undocumented."""
    nulls: Literal["first", "last"] = "first"
    """Where ascending sorts put a missing value; descending sorts are the exact reverse."""
    null_update_time: float = 0.0
    """Share of persons and organizations without `update_time`."""
    archive_moves_update_time: bool = True
    """Whether archiving and unarchiving move a lead's or deal's `update_time`; undocumented."""
    recents_gone: Literal["row", "null", "list"] = "row"
    """A deleted record in `recents`: `data` is its row, null, or a list with its row."""
    merge_what_id: Literal["loser", "survivor"] = "loser"
    """Which of two merged records has `merge_what_id`, with the other's id, in `recents`."""

    rate_limit_headers: bool = True
    burst_limit: int = 80
    """Requests per rolling two seconds, advertised; refused only with `enforce_burst`."""
    enforce_burst: bool = False
    daily_tokens: int = 1_800_000
    """Token budget of one day of the account's clock; a request above it is answered 429."""
    gzip: bool = False
    """Whether an answer is compressed for a client that accepts gzip."""
    latency: float = 0.0
    """Seconds that every answer waits, as a distant server would."""

    oauth_expires_in: int = 3599
    """Seconds of the account's clock that an access token is good for."""
    oauth_requests: int = 0
    """Requests that an access token is good for; 0: any number."""
    oauth_rotates: bool = False
    """Whether each refresh token is good for one use, and replaced; undocumented."""
