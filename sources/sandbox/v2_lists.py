"""The lists of v2: strict parameters, windows of `update_time`, filters and cursors."""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sources.sandbox import answers, params
from sources.sandbox.account import Account
from sources.sandbox.answers import Answer, RefusedError
from sources.sandbox.lists import RecordList, Sort
from sources.sandbox.params import Query

_PAGE = frozenset({"limit", "cursor", "sort_by", "sort_direction"})
_RECORDS = _PAGE | {"ids", "updated_since", "updated_until", "include_fields"}
_SORTS = ("id", "update_time", "add_time")
_ARCHIVED_NOT_SERVED = frozenset({"filter_id", "custom_fields"})
_DEALS_NOT_SERVED = _ARCHIVED_NOT_SERVED | {"include_option_labels", "include_labels"}
_NOT_SERVED = _DEALS_NOT_SERVED | {"deal_id"}
_OWNERS = {"owner_id": "owner_id", "org_id": "organization_id"}
_PLACES = {"person_id": "person_id", "pipeline_id": "pipeline_id", "stage_id": "stage_id"}
STAYS_DELETED = timedelta(days=30)
"""How long `status=deleted` still shows a deal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The parameters that a list takes.

    `filters` gives the attribute that a parameter compares, `not_served` what Pipedrive takes
    and the sandbox answers 501. Any other parameter is a 400.
    """

    known: AbstractSet[str]
    filters: Mapping[str, str]
    sorts: tuple[str, ...] = _SORTS
    not_served: AbstractSet[str] = frozenset()
    has_status: bool = False


CONTACTS = Rules(known=_RECORDS, filters=_OWNERS, not_served=_NOT_SERVED)
DEALS = Rules(
    known=_RECORDS | {"status"},
    filters=_OWNERS | _PLACES,
    not_served=_DEALS_NOT_SERVED,
    has_status=True,
)
ARCHIVED_DEALS = Rules(
    known=_RECORDS | {"status"},
    filters=_OWNERS | _PLACES,
    not_served=_ARCHIVED_NOT_SERVED,
    has_status=True,
)
PIPELINES = Rules(known=_PAGE, filters={})
STAGES = Rules(known=_PAGE, filters={"pipeline_id": "pipeline_id"}, sorts=(*_SORTS, "order_nr"))


def answer_of(
    account: Account, listed: RecordList, rules: Rules, wider: Mapping[str, RecordList]
) -> Callable[[Query], Answer]:
    """Give the function that answers a list; `wider` has the list for a field of `include_fields`.

    The caller holds the account's lock.
    """

    def answer(query: Query) -> Answer:
        params.check_known(query, rules.known | rules.filters.keys() | rules.not_served)
        for parameter in rules.not_served & query.keys():
            raise RefusedError(501, f"the sandbox does not serve '{parameter}'")
        asked = query.get("include_fields", "").split(",")
        rows = next((wider[field] for field in asked if field in wider), listed)
        field = params.choice(query, "sort_by", rules.sorts)
        direction = params.choice(query, "sort_direction", ("asc", "desc"))
        sort = Sort(field, direction == "desc")
        statuses = params.statuses(query) if rules.has_status else frozenset[str]()
        selected = rows.select(
            [sort],
            since=params.time_v2(query, "updated_since"),
            until=params.time_v2(query, "updated_until"),
            with_deleted="deleted" in statuses,
        )
        if statuses:
            selected = _of_status(account, selected, statuses)
        selected = _narrowed(selected, query, rules.filters)
        start, limit = 0, params.limit_v2(query)
        if "cursor" in query:
            number = (int, float, type(None))
            place = params.from_cursor(query["cursor"], {"id": int, "fieldValue": number})
            if (place.get("field"), place.get("sortDirection")) != (field, direction):
                raise RefusedError(400, "Validation failed: cursor: of another order")
            start = rows.after(selected, sort, place["fieldValue"], place["id"])
        page, has_more = selected[start : start + limit], start + limit < len(selected)
        cursor = _cursor(page[-1], field, direction) if has_more else None
        return answers.data(rows.rows(page), {"next_cursor": cursor})

    return answer


def _cursor(last: Any, field: str, direction: str) -> str:
    value = getattr(last, field)
    return params.to_cursor(
        {
            "field": field,
            "fieldValue": value.timestamp() if hasattr(value, "timestamp") else value,
            "sortDirection": direction,
            "id": last.id,
        }
    )


def _of_status(account: Account, deals: list[Any], statuses: AbstractSet[str]) -> list[Any]:
    oldest = account.now - STAYS_DELETED
    return [
        deal
        for deal in deals
        if (deal.delete_time >= oldest if deal.is_deleted else deal.status in statuses)
    ]


def _narrowed(records: list[Any], query: Query, filters: Mapping[str, str]) -> list[Any]:
    wanted = params.ids(query)
    if wanted is not None:
        records = [x for x in records if x.id in wanted]
    for parameter, attribute in filters.items():
        value = params.optional_id(query, parameter)
        if value is not None:
            records = [x for x in records if getattr(x, attribute, None) == value]
    return records
