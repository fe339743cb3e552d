"""`GET /v1/recents`: what changed of persons and organizations, deletions and merges among it.

A deleted record is a row with `active_flag` false, the loser of a merge has
`merge_what_id`, a record that became invisible has `data` null.
"""

from datetime import timedelta
from typing import Any

import orjson

from sources.sandbox import answers, params, shapes
from sources.sandbox.account import Account
from sources.sandbox.answers import Answer, RefusedError
from sources.sandbox.params import Query
from sources.sandbox.records import Entity, spaced
from sources.sandbox.shapes import CustomForms

LONGEST = timedelta(days=30)
"""An older `since_timestamp` is silently treated as this long ago."""
_ENTITIES: tuple[Entity, ...] = ("person", "organization")
_WRITE: dict[Entity, Any] = {
    "person": shapes.collection_person,
    "organization": shapes.collection_organization,
}


def recents(account: Account, query: Query) -> Answer:
    """Answer with the rows changed after `since_timestamp`, which is exclusive, oldest first."""
    since = params.time_v1(query, "since_timestamp")
    if since is None:
        raise RefusedError(400, "since_timestamp is required")
    after = max(since, account.now - LONGEST)
    wanted = query.get("items", ",".join(_ENTITIES)).split(",")
    changed = [
        (record.update_time, entity, record)
        for entity in _ENTITIES
        if entity in wanted
        for record in account.records(entity).values()
        if record.update_time is not None and record.update_time > after
    ]
    changed.sort(key=lambda row: (row[0], row[1], row[2].id))
    start, limit = params.integer(query, "start", 0), params.limit_v1(query)
    page = changed[start : start + limit]
    forms = {x: CustomForms(account.custom_fields(x)) for x in _ENTITIES}
    rows = [
        orjson.dumps(_row(account, entity, record, forms[entity])) for _, entity, record in page
    ]
    has_more = start + limit < len(changed)
    pagination: dict[str, object] = {
        "start": start,
        "limit": limit,
        "more_items_in_collection": has_more,
    }
    if has_more:
        pagination["next_start"] = start + limit
    additional = {
        "since_timestamp": spaced(after),
        "last_timestamp_on_page": spaced(page[-1][0]) if page else None,
        "pagination": pagination,
    }
    return answers.data(rows, additional) if rows else answers.one(None, additional)


def _row(account: Account, entity: Entity, record: Any, forms: CustomForms) -> dict[str, Any]:
    if record.id in account.hidden.get(entity, ()):
        return {"item": entity, "id": record.id, "data": None}
    data = _WRITE[entity](record, forms)
    if record.merged_into is not None:
        data["merge_what_id"] = record.merged_into
    return {"item": entity, "id": record.id, "data": data}
