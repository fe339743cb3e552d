"""The control interface: the account's life and the truth by HTTP, on loopback, without a token.

    GET  /_sandbox/truth      the account, see `sources.sandbox.truth`
    GET  /_sandbox/requests   the request log
    GET  /_sandbox/state      clock, tokens, what is served
    POST /_sandbox/do         {"action": "archive_lead", "id": "..."} -> {"result": ...}

Every action is a method of `Account` or `Sandbox` with the same name; its other arguments go by
name in the same object.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import orjson

from sources.sandbox.answers import Answer
from sources.sandbox.state import AccountError
from sources.sandbox.truth import truth

if TYPE_CHECKING:
    from sources.sandbox.server import Sandbox

PREFIX = "/_sandbox/"

ACCOUNT_ACTIONS: dict[str, tuple[str, ...]] = {
    "create": ("entity",),
    "edit": ("entity", "ids"),
    "delete": ("entity", "ids"),
    "restore": ("entity", "id"),
    "merge": ("entity", "loser_id", "survivor_id"),
    "archive_lead": ("id",),
    "unarchive_lead": ("id",),
    "archive_deal": ("id",),
    "unarchive_deal": ("id",),
    "convert_lead": ("id",),
    "convert_deal_to_lead": ("id",),
    "add_field": ("entity", "name"),
    "rename_field": ("entity", "key", "name"),
    "delete_field": ("entity", "key"),
    "change_field_type": ("entity", "key", "field_type"),
    "add_option": ("entity", "key", "label"),
    "rename_option": ("entity", "key", "option_id", "label"),
    "delete_option": ("entity", "key", "option_id"),
    "set_visibility": ("entity", "hidden_share"),
    "set_admin": ("is_admin",),
    "advance": ("seconds",),
    "live": ("changes",),
}
"""Actions on the account and their required arguments; `ids` may also be one `id`."""

SANDBOX_ACTIONS: dict[str, tuple[str, ...]] = {
    "fault": ("path", "kind"),
    "clear_faults": (),
    "serve": ("api", "is_served"),
    "set_daily_tokens": ("tokens",),
    "expire_access_tokens": (),
    "revoke_refresh_token": (),
}
"""Actions on the sandbox and their required arguments."""


def answer(box: Sandbox, method: str, path: str, body: bytes) -> Answer:
    """Answer a request to the control interface."""
    name = path.removeprefix(PREFIX)
    if method == "POST" and name == "do":
        return _do(box, body)
    if method == "GET" and name == "truth":
        return _json(200, truth(box.account))
    if method == "GET" and name == "requests":
        return _json(200, [asdict(request) for request in box.requests])
    if method == "GET" and name == "state":
        return _json(200, box.state())
    return _json(404, {"error": f"there is no {method} {path}"})


def _do(box: Sandbox, body: bytes) -> Answer:
    try:
        request = orjson.loads(body)
        action = request.pop("action")
        if action in ACCOUNT_ACTIONS:
            target: Any = box.account
            positional = _positional(request, ACCOUNT_ACTIONS[action])
        elif action in SANDBOX_ACTIONS:
            target, positional = box, _positional(request, SANDBOX_ACTIONS[action])
        else:
            known = ", ".join([*ACCOUNT_ACTIONS, *SANDBOX_ACTIONS])
            return _json(400, {"error": f"there is no action {action!r}, only {known}"})
        return _json(200, {"result": getattr(target, action)(*positional, **request)})
    except KeyError as missing:
        return _json(400, {"error": f"argument {missing} is missing"})
    except (AccountError, AttributeError, TypeError, ValueError) as error:
        return _json(400, {"error": str(error)})


def _positional(request: dict[str, Any], names: tuple[str, ...]) -> list[Any]:
    values: list[Any] = []
    for name in names:
        if name == "ids":
            values += request.pop("ids") if "ids" in request else [request.pop("id")]
        else:
            values.append(request.pop(name))
    return values


def _json(status: int, body: object) -> Answer:
    return Answer(status, orjson.dumps(body))
