"""The endpoint table: what is served under which path, for how many tokens.

Token costs are `x-token-cost` of the OpenAPI files, parameters and paging those of the API
reference. Every v1 path is served under `/v1` and `/api/v1`, v2 under `/api/v2` only.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from sources.sandbox import answers, deal_shapes, definition_shapes, params, shapes, v2_lists
from sources.sandbox.account import Account
from sources.sandbox.answers import Answer, RefusedError
from sources.sandbox.definitions import Field
from sources.sandbox.lists import RecordList, Sort
from sources.sandbox.params import Query
from sources.sandbox.recents import recents
from sources.sandbox.v2_lists import Rules

_PAGE_V2 = {"limit", "cursor"}
_FIELDS_V2 = {*_PAGE_V2, "include_fields"}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One path: its price in tokens and who answers."""

    cost: int
    answer: Callable[[Query], Answer]


class Api:
    """The endpoints of one account. The caller holds the account's lock."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.lists = {
            "v1/leads": RecordList(account, "lead", shapes.lead, lambda x: not x.is_archived),
            "v1/leads/archived": RecordList(account, "lead", shapes.lead, lambda x: x.is_archived),
            "v1/persons/collection": RecordList(account, "person", shapes.collection_person),
            "v1/organizations/collection": RecordList(
                account, "organization", shapes.collection_organization
            ),
            "v2/persons": RecordList(account, "person", shapes.v2_person),
            "v2/organizations": RecordList(account, "organization", shapes.v2_organization),
            **_deal_lists(account, "v2/deals", lambda x: not x.is_archived),
            **_deal_lists(account, "v2/deals/archived", lambda x: x.is_archived),
            "v2/pipelines": RecordList(account, "pipeline", deal_shapes.v2_pipeline),
            "v2/stages": RecordList(account, "stage", deal_shapes.v2_stage),
        }
        self.endpoints: dict[str, Endpoint] = {
            "v1/leads": Endpoint(20, self._leads("v1/leads", has_since=True)),
            "v1/leads/archived": Endpoint(40, self._leads("v1/leads/archived", has_since=False)),
            "v1/leadFields": Endpoint(20, self._fields_v1(account.lead_fields)),
            "v1/leadLabels": Endpoint(
                10, lambda _: answers.one(definition_shapes.lead_labels(account))
            ),
            "v1/leadSources": Endpoint(2, lambda _: answers.one(definition_shapes.lead_sources())),
            "v1/users": Endpoint(20, self._users),
            "v1/users/me": Endpoint(2, lambda _: answers.one(definition_shapes.me(account))),
            "v1/currencies": Endpoint(
                20, lambda _: answers.one(definition_shapes.currencies(account))
            ),
            "v1/recents": Endpoint(20, lambda query: recents(account, query)),
            "v1/persons/collection": Endpoint(10, self._collection("persons")),
            "v1/organizations/collection": Endpoint(10, self._collection("organizations")),
            "v1/personFields": Endpoint(20, self._fields_v1(lambda: account.fields["person"])),
            "v1/organizationFields": Endpoint(
                20, self._fields_v1(lambda: account.fields["organization"])
            ),
            "v1/dealFields": Endpoint(20, self._fields_v1(lambda: account.fields["deal"])),
            "v2/persons": Endpoint(10, self._list_v2("v2/persons", v2_lists.CONTACTS)),
            "v2/organizations": Endpoint(10, self._list_v2("v2/organizations", v2_lists.CONTACTS)),
            "v2/deals": Endpoint(10, self._list_v2("v2/deals", v2_lists.DEALS)),
            "v2/deals/archived": Endpoint(
                20, self._list_v2("v2/deals/archived", v2_lists.ARCHIVED_DEALS)
            ),
            "v2/pipelines": Endpoint(5, self._list_v2("v2/pipelines", v2_lists.PIPELINES)),
            "v2/stages": Endpoint(5, self._list_v2("v2/stages", v2_lists.STAGES)),
            "v2/personFields": Endpoint(10, self._fields_v2(lambda: account.fields["person"])),
            "v2/organizationFields": Endpoint(
                10, self._fields_v2(lambda: account.fields["organization"])
            ),
            "v2/dealFields": Endpoint(10, self._fields_v2(lambda: account.fields["deal"])),
        }

    def warm(self, names: Sequence[str] = ()) -> None:
        """Write every row of these lists (none named: of all), see `Sandbox.warm`."""
        for name in names or self.lists:
            self.lists[name].rows(self.lists[name].select())

    def _leads(self, name: str, *, has_since: bool) -> Callable[[Query], Answer]:
        listed = self.lists[name]

        def answer(query: Query) -> Answer:
            since = params.time_v1(query, "updated_since") if has_since else None
            selected = listed.select(params.lead_sorts(query), since=since)
            for attribute in ("owner_id", "person_id", "organization_id"):
                wanted = params.optional_id(query, attribute)
                if wanted is not None:
                    selected = [x for x in selected if getattr(x, attribute) == wanted]
            page, additional = _offset_page(selected, query)
            return answers.data(listed.rows(page), additional)

        return answer

    def _collection(self, plural: str) -> Callable[[Query], Answer]:
        listed = self.lists[f"v1/{plural}/collection"]

        def answer(query: Query) -> Answer:
            if not self.account.is_admin:
                raise RefusedError(403, "You do not have permissions to do this.")
            selected = listed.select(
                since=params.time_v1(query, "since"), until=params.time_v1(query, "until")
            )
            owner_id = params.optional_id(query, "owner_id")
            if owner_id is not None:
                selected = [x for x in selected if x.owner_id == owner_id]
            start, limit = 0, params.limit_v1(query)
            if "cursor" in query:
                last = params.from_cursor(query["cursor"], {plural: int})[plural]
                start = listed.after(selected, Sort("id"), last, last)
            page, has_more = selected[start : start + limit], start + limit < len(selected)
            cursor = params.to_cursor({plural: page[-1].id}) if has_more else None
            return answers.data(listed.rows(page), {"next_cursor": cursor})

        return answer

    def _list_v2(self, name: str, rules: Rules) -> Callable[[Query], Answer]:
        prefix = f"{name}+"
        wider = {x.removeprefix(prefix): y for x, y in self.lists.items() if x.startswith(prefix)}
        return v2_lists.answer_of(self.account, self.lists[name], rules, wider)

    def _fields_v1(self, fields: Callable[[], Sequence[Field]]) -> Callable[[Query], Answer]:
        def answer(query: Query) -> Answer:
            rows = [
                orjson.dumps(row)
                for order_nr, field in enumerate(fields())
                for row in definition_shapes.v1_field(field, order_nr)
            ]
            page, additional = _offset_page(rows, query)
            return answers.data(page, additional)

        return answer

    def _fields_v2(self, fields: Callable[[], Sequence[Field]]) -> Callable[[Query], Answer]:
        def answer(query: Query) -> Answer:
            params.check_known(query, _FIELDS_V2)
            start, limit, rows = 0, params.limit_v2(query), fields()
            if "cursor" in query:
                last = params.from_cursor(query["cursor"], {"id": int})["id"]
                start = next((n for n, x in enumerate(rows) if x.id > last), len(rows))
            page = rows[start : start + limit]
            has_more = start + limit < len(rows)
            cursor = params.to_cursor({"id": page[-1].id}) if has_more else None
            json = [orjson.dumps(definition_shapes.v2_field(field)) for field in page]
            return answers.data(json, {"next_cursor": cursor})

        return answer

    def _users(self, _: Query) -> Answer:
        users = [definition_shapes.user(self.account, user) for user in self.account.users]
        return answers.one(users, {"company_id": self.account.company.id})


def _deal_lists(account: Account, name: str, where: Callable[[Any], bool]) -> dict[str, RecordList]:
    """Give a list of deals, and the same with a field that is only sent when it is asked for."""
    return {
        name: RecordList(account, "deal", deal_shapes.v2_deal, where),
        f"{name}+source_lead_id": RecordList(
            account, "deal", deal_shapes.v2_deal_with_source, where
        ),
    }


def _offset_page(rows: Sequence[Any], query: Query) -> tuple[Sequence[Any], dict[str, object]]:
    start, limit = params.integer(query, "start", 0), params.limit_v1(query)
    has_more = start + limit < len(rows)
    pagination: dict[str, object] = {
        "start": start,
        "limit": limit,
        "more_items_in_collection": has_more,
    }
    if has_more:
        pagination["next_start"] = start + limit
    return rows[start : start + limit], {"pagination": pagination}
