"""Who is asking: the user behind the token, because a load is what that user may see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from .pages import Answer, Envelope, open_envelope


@dataclass(frozen=True)
class Identity:
    """The user of `users/me`. `server_time` is the `Date` of that answer, our clock without one.

    `is_admin` is None where the answer does not tell.
    """

    user_id: int | None
    user_name: str
    is_admin: bool | None
    company_id: int | None
    company_domain: str
    server_time: datetime


class _Me(msgspec.Struct):
    id: Any = None
    name: Any = None
    is_admin: Any = None
    access: Any = None
    company_id: Any = None
    company_domain: Any = None


class _MeEnvelope(Envelope, kw_only=True):
    data: _Me


_ME = msgspec.json.Decoder(_MeEnvelope)


def read_identity(answer: Answer) -> Identity:
    """The identity in an answer of `users/me`. Raises BadAnswer when there is none.

    An admin has `admin` for the app `global` (spec); recordings also show `is_admin` 0 or 1.
    """
    me = open_envelope(answer, _ME).data
    is_admin: bool | None = None if me.is_admin is None else bool(me.is_admin)
    if isinstance(me.access, list):
        apps = [app for app in me.access if isinstance(app, dict)]
        is_admin = any(app.get("app") == "global" and app.get("admin") is True for app in apps)
    return Identity(
        user_id=_number(me.id),
        user_name=str(me.name or ""),
        is_admin=is_admin,
        company_id=_number(me.company_id),
        company_domain=str(me.company_domain or ""),
        server_time=answer.server_time,
    )


def _number(value: object) -> int | None:
    text = str(value)
    return int(text) if text.isdecimal() else None
