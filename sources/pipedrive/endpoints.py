"""The endpoint table: adding an entity is one row here and one staging model.

Paths, parameters and token costs are those of the official specs (costs: `x-token-cost`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Dialect = Literal["v2", "collection"]
Api = Literal["v1", "v2", "collection"]
Kind = Literal["entity", "definitions", "reference"]
Method = Literal[
    "update_time ascending",  # cursor over a list sorted by update_time, updated_since
    "window",  # cursor over a list in no promised order, since and until
    "keyset",  # offset list sorted by update_time, walked as a keyset, updated_since
    "newest first",  # offset list sorted by update_time DESC, read down to the watermark
    "listing",  # small: always read whole
]
Pager = Literal["cursor", "offset", "none"]


@dataclass(frozen=True)
class Route:
    """How one dialect serves an entity. `path` follows the version prefix; `cost` is in tokens."""

    api: Api
    path: str
    cost: int
    method: Method
    pager: Pager
    include_fields: str = ""  # v2 only: fields that are sent when they are asked for

    @property
    def name(self) -> str:
        """The path with its version, as the books have it: `v2/persons`, `v1/leads`."""
        return f"{'v2' if self.api == 'v2' else 'v1'}/{self.path}"


@dataclass(frozen=True)
class Endpoint:
    """An entity: its raw table, what its id is, and its route in each dialect.

    `table` is the public table its records belong to: that of another entity for archived ones.
    Where an optional one is not served, a load does without it.
    """

    entity: str
    kind: Kind
    id_key: tuple[str, ...]  # first one present in a record is its id
    id_type: Literal["bigint", "text"]
    v2: Route
    collection: Route
    needed_by: frozenset[str] = frozenset()  # resources that bring this one along
    table: str = ""
    is_optional: bool = False

    def route(self, dialect: Dialect) -> Route:
        """The route in `dialect`."""
        return self.v2 if dialect == "v2" else self.collection


RESOURCES = ("leads", "archived_leads", "persons", "organizations", "deals")
_ALL = frozenset(RESOURCES)
_LEADS = frozenset({"leads", "archived_leads"})
_DEALS = frozenset({"deals"})


def _v1(
    entity: str,
    kind: Kind,
    path: str,
    cost: int,
    *,
    method: Method = "listing",
    pager: Pager = "none",
    id_key: str = "id",
    id_type: Literal["bigint", "text"] = "text",
    needed_by: frozenset[str] = frozenset(),
    table: str = "",
) -> Endpoint:
    """An endpoint that only v1 has, whatever the dialect."""
    route = Route("v1", path, cost, method, pager)
    return Endpoint(entity, kind, (id_key,), id_type, route, route, needed_by, table)


def _v2(
    entity: str,
    kind: Kind,
    path: str,
    cost: int,
    *,
    method: Method = "listing",
    include_fields: str = "",
    table: str = "",
) -> Endpoint:
    """Deals and what describes them: v2 alone, whatever the dialect, and done without else."""
    route = Route("v2", path, cost, method, "cursor", include_fields)
    return Endpoint(entity, kind, ("id",), "bigint", route, route, _DEALS, table, is_optional=True)


def _definitions(entity: str, name: str, needed_by: frozenset[str]) -> Endpoint:
    """Field definitions with a v1 and a v2 form; `key` in one is `field_code` in the other."""
    return Endpoint(
        entity,
        "definitions",
        ("field_code", "key"),
        "text",
        Route("v2", name, 10, "listing", "cursor"),
        Route("v1", name, 20, "listing", "offset"),
        needed_by,
    )


def _entity(entity: str) -> Endpoint:
    """An entity with a v2 list and a v1 collection."""
    return Endpoint(
        entity,
        "entity",
        ("id",),
        "bigint",
        Route("v2", entity, 10, "update_time ascending", "cursor"),
        Route("collection", f"{entity}/collection", 10, "window", "cursor"),
        table=entity,
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    _definitions("deal_fields", "dealFields", _LEADS | _DEALS),
    _v1(
        "lead_fields",
        "definitions",
        "leadFields",
        20,
        pager="offset",
        id_key="key",
        needed_by=_LEADS,
    ),
    _definitions("person_fields", "personFields", frozenset({"persons"})),
    _definitions("organization_fields", "organizationFields", frozenset({"organizations"})),
    _v1("lead_labels", "reference", "leadLabels", 10, needed_by=_LEADS),
    _v1("lead_sources", "reference", "leadSources", 2, id_key="name", needed_by=_LEADS),
    _v1("users", "reference", "users", 20, id_type="bigint", needed_by=_ALL),
    _v1("currencies", "reference", "currencies", 20, id_type="bigint", needed_by=_ALL),
    _v2("pipelines", "reference", "pipelines", 5),
    _v2("stages", "reference", "stages", 5),
    _v1("leads", "entity", "leads", 20, method="keyset", pager="offset", table="leads"),
    _v1(
        "archived_leads",
        "entity",
        "leads/archived",
        40,
        method="newest first",
        pager="offset",
        table="leads",
    ),
    _entity("persons"),
    _entity("organizations"),
    _v2(
        "deals",
        "entity",
        "deals",
        10,
        method="update_time ascending",
        include_fields="source_lead_id",
        table="deals",
    ),
    _v2(
        "archived_deals",
        "entity",
        "deals/archived",
        20,
        method="update_time ascending",
        include_fields="source_lead_id",
        table="deals",
    ),
)
USERS_ME_COST = 2
RECENTS_COST = 20

TABLES: dict[str, tuple[str, ...]] = {
    table: tuple(e.entity for e in ENDPOINTS if e.table == table)
    for table in ("leads", "persons", "organizations", "deals")
}
"""The public tables and the lists their records are in: a lead is in one of two."""


def endpoints_for(resources: tuple[str, ...]) -> tuple[Endpoint, ...]:
    """The rows that loading `resources` takes: themselves, their definitions and references."""
    wanted = frozenset(resources)
    return tuple(e for e in ENDPOINTS if e.entity in wanted or e.needed_by & wanted)
