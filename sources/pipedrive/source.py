"""The dlt source: leads, archived leads, persons, organizations, and what describes them.

`pipedrive()` stands on its own in any dlt pipeline; `source_of()` is what `pipelines` runs again
and again, one committed package each, with readings that know what the warehouse already holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import dlt
import pyarrow as pa
from dlt.common.schema.typing import TColumnSchema
from dlt.extract import DltResource, DltSource

from .client import Client, Token
from .dialects import ApiSetting, DialectChoice
from .endpoints import RESOURCES, Endpoint, endpoints_for
from .errors import Misconfigured
from .hosts import find_host
from .package import Package
from .pages import parse_time
from .reading import Reading, ReadingSettings

_REPLACE: Any = {"disposition": "merge", "strategy": "delete-insert"}
UPSERT: Any = {"disposition": "merge", "strategy": "upsert"}


@dlt.source(name="pipedrive", max_table_nesting=0, section="pipedrive")
def pipedrive(
    api_token: dlt.TSecretStrValue = dlt.secrets.value,
    company_domain: str = "",
    base_url: str = "",
    api: ApiSetting = "auto",
    start_date: str = "",
    resources: list[str] | None = None,
    page_size: int = 500,
) -> Iterable[DltResource]:
    """Leads, archived leads, persons and organizations, with definitions and reference tables.

    Every row is `id, update_time, payload, api, read_time`, the payload as received. All is one
    package, and an error of one list ends it: for a first load of many rows use `pipeduck run`,
    which commits as it goes and keeps what it can.
    """
    since = parse_time(start_date or None)
    if start_date and since is None:
        raise Misconfigured(f"start_date {start_date!r} is no date.", 'It looks like "2024-01-31".')
    client = Client(find_host(company_domain, base_url), Token(api_token))
    settings = ReadingSettings(page_size=page_size, start_date=since)
    readings = open_readings(client, api, tuple(resources or RESOURCES), settings)
    return [_whole(reading) for reading in readings]


def open_readings(
    client: Client, api: ApiSetting, resources: tuple[str, ...], settings: ReadingSettings
) -> list[Reading]:
    """A reading for each endpoint that `resources` take. Asks `users/me`."""
    check_resources(resources)
    server_now = client.identify().server_time
    dialects = DialectChoice(api)
    return [
        Reading(endpoint, client, dialects, settings, server_now)
        for endpoint in endpoints_for(resources)
    ]


def check_resources(resources: Iterable[str]) -> None:
    """Raises Misconfigured for a resource that does not exist."""
    for name in resources:
        if name not in RESOURCES:
            raise Misconfigured(
                f"There is no resource {name!r}.", f"Resources are {', '.join(RESOURCES)}."
            )


def source_of(packages: Iterable[Package]) -> DltSource:
    """The source `pipedrive` made of one package each of some readings."""
    wanted = list(packages)

    @dlt.source(name="pipedrive", max_table_nesting=0, section="pipedrive")
    def pipedrive() -> list[DltResource]:
        return [_resource(package) for package in wanted]

    return pipedrive()


def _whole(reading: Reading) -> DltResource:
    """A resource for the whole of a reading. An id that came twice is loaded as it came last."""
    name = reading.endpoint.entity

    def rows() -> Iterator[pa.Table]:
        reading.position = dlt.current.resource_state(name)
        while not reading.is_finished:
            yield from reading.package()
        if reading.progress.error:
            raise reading.progress.error

    columns = columns_of(reading.endpoint)
    columns["read_time"]["dedup_sort"] = "desc"
    return dlt.resource(
        rows, name=name, primary_key="id", write_disposition=_REPLACE, columns=columns
    )


def _resource(package: Package) -> DltResource:
    reading = package.reading
    name = reading.endpoint.entity

    def rows() -> Iterator[pa.Table]:
        state = dlt.current.resource_state(name)
        yield from package.pages()
        state.clear()
        state.update(reading.position)

    return dlt.resource(
        rows,
        name=name,
        primary_key="id",
        write_disposition="append" if reading.is_append else UPSERT,
        columns=columns_of(reading.endpoint),
        parallelized=True,
    )


def columns_of(endpoint: Endpoint) -> dict[str, TColumnSchema]:
    """The columns of the entity's raw table, as dlt hints."""
    columns: dict[str, TColumnSchema] = {
        "id": {"data_type": endpoint.id_type, "nullable": False},
        "update_time": {"data_type": "timestamp"},
        "payload": {"data_type": "json"},
        "api": {"data_type": "text"},
        "read_time": {"data_type": "timestamp"},
    }
    if endpoint.kind != "entity":
        columns["position"] = {"data_type": "bigint"}
    return columns
