"""`GET /v1/recents`: what changed of persons, organizations and deals, deletions among it.

A deleted person or organization is a row with `active_flag` false, a deleted deal one with
`deleted` true; one of two merged records has `merge_what_id`; a record that became invisible has
`data` null. The options `recents_gone` and `merge_what_id` say otherwise.
"""

from datetime import timedelta
from typing import Any

import orjson

from sources.sandbox import answers, deal_shapes, params, shapes
from sources.sandbox.account import Account
from sources.sandbox.answers import Answer, RefusedError
from sources.sandbox.params import Query
from sources.sandbox.records import Entity, spaced
from sources.sandbox.shapes import CustomForms

LONGEST = timedelta(days=30)
"""An older `since_timestamp` is silently treated as this long ago."""
_UNASKED: tuple[Entity, ...] = ("person", "organization")
"""What is listed where `items` does not say; others only when they are asked for."""
_WRITE: dict[Entity, Any] = {
    "person": shapes.collection_person,
    "organization": shapes.collection_organization,
    "deal": deal_shapes.v1_deal,
}


def recents(account: Account, query: Query) -> Answer:
    """Answer with the rows changed after `since_timestamp`, which is exclusive, oldest first."""
    since = params.time_v1(query, "since_timestamp")
    if since is None:
        raise RefusedError(400, "since_timestamp is required")
    after = max(since, account.now - LONGEST)
    wanted = query.get("items", ",".join(_UNASKED)).split(",")
    changed = [
        (record.update_time, entity, record)
        for entity in _WRITE
        if entity in wanted
        for record in account.records(entity).values()
        if record.update_time is not None and record.update_time > after
    ]
    changed.sort(key=lambda row: (row[0], row[1], row[2].id))
    start, limit = params.integer(query, "start", 0), params.limit_v1(query)
    page = changed[start : start + limit]
    forms = {x: CustomForms(account.custom_fields(x)) for x in _WRITE}
    survivors = _survivors(account) if account.options.merge_what_id == "survivor" else {}
    rows = [
        orjson.dumps(_row(account, entity, record, forms[entity], survivors))
        for _, entity, record in page
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


def _survivors(account: Account) -> dict[tuple[Entity, int], int]:
    """Give the record that last went into each survivor of a merge."""
    merged = [
        (record.delete_time, entity, record)
        for entity in _WRITE
        for record in account.records(entity).values()
        if record.merged_into is not None
    ]
    merged.sort(key=lambda row: (row[0], row[2].id))
    return {(entity, record.merged_into): record.id for _, entity, record in merged}


def _row(
    account: Account,
    entity: Entity,
    record: Any,
    forms: CustomForms,
    survivors: dict[tuple[Entity, int], int],
) -> dict[str, Any]:
    row: dict[str, Any] = {"item": entity, "id": record.id, "data": None}
    gone = account.options.recents_gone if record.is_deleted else "row"
    if record.id in account.hidden.get(entity, ()) or gone == "null":
        return row
    data = _WRITE[entity](record, forms)
    if account.options.merge_what_id == "survivor":
        other = survivors.get((entity, record.id))
    else:
        other = record.merged_into
    if other is not None:
        data["merge_what_id"] = other
    row["data"] = [data] if gone == "list" else data
    return row
