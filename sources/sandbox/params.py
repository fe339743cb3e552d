"""Reading query parameters: leniently as v1 does, strictly as v2 does; and v2's cursors."""

import base64
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

import orjson

from sources.sandbox.answers import RefusedError
from sources.sandbox.lists import Sort
from sources.sandbox.records import DEAL_STATUSES, parse_time

MAX_LIMIT = 500
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)")
LEAD_SORTS = {
    "id",
    "title",
    "owner_id",
    "creator_id",
    "was_seen",
    "expected_close_date",
    "next_activity_id",
    "add_time",
    "update_time",
}

Query = Mapping[str, str]


def check_known(query: Query, known: AbstractSet[str]) -> None:
    """Refuse parameters that v2 does not know; v1 ignores them."""
    for name in query:
        if name not in known:
            raise RefusedError(400, f"Validation failed: {name}: property '{name}' is not allowed")


def integer(query: Query, name: str, default: int, *, least: int = 0) -> int:
    """Read a whole number of at least `least`."""
    text = query.get(name, str(default))
    if not re.fullmatch(r"\d{1,9}", text) or int(text) < least:
        raise RefusedError(400, f"Validation failed: {name}: '{text}' is not a valid number")
    return int(text)


def optional_id(query: Query, name: str) -> int | None:
    """Read an id, if it is there."""
    return integer(query, name, 0) if name in query else None


def limit_v1(query: Query) -> int:
    """Read `limit`, default 100; more than 500 gives 500 (undocumented)."""
    return min(integer(query, "limit", 100, least=1), MAX_LIMIT)


def limit_v2(query: Query) -> int:
    """Read `limit`, default 100; more than 500 is refused."""
    limit = integer(query, "limit", 100, least=1)
    if limit > MAX_LIMIT:
        raise RefusedError(400, f"Validation failed: limit: must be at most {MAX_LIMIT}")
    return limit


def time_v1(query: Query, name: str) -> datetime | None:
    """Read a time in any ISO 8601 form, with a space or a `T`; UTC if it names no zone."""
    if name not in query:
        return None
    try:
        return parse_time(query[name])
    except ValueError:
        raise RefusedError(400, f"{name}: '{query[name]}' is not a valid date") from None


def time_v2(query: Query, name: str) -> datetime | None:
    """Read an RFC 3339 time in whole seconds; anything else is refused, as it was seen live."""
    if name in query and not _RFC3339.fullmatch(query[name]):
        raise RefusedError(400, f"Validation failed: {name}: not a valid datetime")
    return time_v1(query, name)


def choice(query: Query, name: str, choices: tuple[str, ...]) -> str:
    """Read one of the choices; the first is the default."""
    text = query.get(name, choices[0])
    if text not in choices:
        raise RefusedError(400, f"Validation failed: {name}: must be one of {', '.join(choices)}")
    return text


def lead_sorts(query: Query) -> list[Sort]:
    """Read `sort`, `field ASC|DESC` separated by commas; the default is creation order."""
    sorts = []
    for part in filter(None, query.get("sort", "add_time").split(",")):
        field, _, direction = part.strip().partition(" ")
        if field not in LEAD_SORTS or direction.strip().upper() not in ("", "ASC", "DESC"):
            raise RefusedError(400, f"sort: '{part}' is not allowed")
        sorts.append(Sort(field, direction.strip().upper() == "DESC"))
    return sorts


def statuses(query: Query) -> frozenset[str]:
    """Read `status` of deals, one or several with commas; empty means every one but deleted."""
    if "status" not in query:
        return frozenset()
    wanted = frozenset(query["status"].split(","))
    known = (*DEAL_STATUSES, "deleted")
    if not wanted <= set(known):
        raise RefusedError(400, f"Validation failed: status: must be one of {', '.join(known)}")
    return wanted


def ids(query: Query) -> set[int] | None:
    """Read `ids`, at most 100 of them."""
    if "ids" not in query:
        return None
    texts = query["ids"].split(",")
    if len(texts) > 100 or not all(re.fullmatch(r"\d{1,18}", text) for text in texts):
        raise RefusedError(400, "Validation failed: ids: must be at most 100 ids")
    return {int(text) for text in texts}


def to_cursor(place: Mapping[str, Any]) -> str:
    """Write a place as an opaque cursor, as the documentation's example decodes."""
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode().rstrip("=")


def from_cursor(cursor: str, expected: Mapping[str, type | tuple[type, ...]]) -> dict[str, Any]:
    """Read a place; a cursor that is broken or of another list is refused."""
    try:
        place = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        place = None
    if not isinstance(place, dict) or not all(
        isinstance(place.get(name), types) for name, types in expected.items()
    ):
        raise RefusedError(400, "Validation failed: cursor: not a valid cursor")
    return place
