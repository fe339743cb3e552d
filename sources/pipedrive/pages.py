"""From the bytes of an answer to records whose payload is still the bytes that came.

A page is scanned, not parsed: of each record only the id and `update_time` are decoded, the rest
stays as received (measured: a tenth of the cost of decoding it).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from .endpoints import Api, Endpoint
from .errors import BadAnswer

log = logging.getLogger("pipeduck.pages")
_NULL = b"null"


class Envelope(msgspec.Struct):
    """What every answer has around its data."""

    success: bool = True
    error: Any = None
    additional_data: msgspec.Raw = msgspec.Raw(_NULL)


class _ListEnvelope(Envelope):
    data: list[msgspec.Raw] | None = None


_LIST = msgspec.json.Decoder(_ListEnvelope)


class Pagination(msgspec.Struct):
    """Seen nested under `pagination` in recordings and flat in the specs; both are read."""

    pagination: Pagination | None = None
    more_items_in_collection: bool | None = None
    next_start: int | None = None
    next_cursor: str | None = None


_PAGINATION = msgspec.json.Decoder(Pagination | None)


class Record(msgspec.Struct, frozen=True, gc=False):
    """One record: its id, its `update_time` in UTC where it has one, and its bytes."""

    id: int | str
    update_time: datetime | None
    payload: bytes


@dataclass(frozen=True)
class Page:
    """The records of one answer and how to get the next one.

    `asked` is when the request was sent, by our clock; `server_time` is the `Date` of the answer.
    `is_paged`: the answer says something about paging, be it that this is the end.
    """

    records: tuple[Record, ...]
    next_cursor: str | None
    next_start: int | None
    has_more: bool | None  # None: the answer does not say
    is_paged: bool
    asked: datetime
    server_time: datetime
    api: Api


@dataclass(frozen=True)
class Answer:
    """A body, with the moment it was asked for and the `Date` it came with."""

    body: bytes
    asked: datetime
    server_time: datetime


E = TypeVar("E", bound=Envelope)


def open_envelope(answer: Answer, decoder: msgspec.json.Decoder[E]) -> E:
    """The envelope of an answer.

    Raises BadAnswer when the body is not JSON, is not of this kind, or says `success: false`.
    """
    try:
        envelope = decoder.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadAnswer(
            f"Pipedrive answered with something that is not the expected JSON ({error}).",
            "Usually passes by itself; if not, check base_url and any proxy in between.",
        ) from error
    if not envelope.success:
        raise BadAnswer(
            f"Pipedrive answered success = false: {envelope.error or 'no reason'}.",
            "Usually passes by itself; if not, the next run tries again.",
            kind="success false",
        )
    return envelope


def read_page(answer: Answer, endpoint: Endpoint, api: Api) -> Page:
    """The page in an answer.

    `data: null` is an empty page (API: responses page), and so is a list of nulls.
    `additional_data` may be null or missing (recordings). Raises BadAnswer when `data` is no list
    of objects, or none of them has an id.
    """
    envelope = open_envelope(answer, _LIST)
    raws = [raw for raw in envelope.data or () if bytes(raw) != _NULL]
    records = tuple(r for r in (_read_record(raw, endpoint) for raw in raws) if r is not None)
    if raws and not records:
        raise BadAnswer(f"Pipedrive sent records of {endpoint.entity} without a usable id.")
    paging = read_pagination(envelope)
    return Page(
        records,
        next_cursor=paging.next_cursor,
        next_start=paging.next_start,
        has_more=paging.more_items_in_collection,
        is_paged=bytes(envelope.additional_data) != _NULL,
        asked=answer.asked,
        server_time=answer.server_time,
        api=api,
    )


def read_pagination(envelope: Envelope) -> Pagination:
    """What an answer says of the next page. Raises BadAnswer when it cannot be understood."""
    try:
        paging: Pagination | None = _PAGINATION.decode(envelope.additional_data)
    except msgspec.DecodeError as error:
        raise BadAnswer(f"Pipedrive's paging cannot be understood ({error}).") from error
    if paging is None:
        return Pagination()
    return paging.pagination or paging


def _read_record(raw: msgspec.Raw, endpoint: Endpoint) -> Record | None:
    """A record; None, and a line in the log, for one that has no id to keep it by."""
    try:
        keys = _KEYS[endpoint.kind].decode(raw)
    except msgspec.DecodeError as error:
        raise BadAnswer(
            f"Pipedrive sent something else than an object for {endpoint.entity} ({error})."
        ) from error
    identity = next((v for k in endpoint.id_key if (v := getattr(keys, k, None)) is not None), None)
    if endpoint.id_type == "text" and type(identity) is int:
        identity = str(identity)
    elif endpoint.id_type == "bigint" and isinstance(identity, str) and identity.isdecimal():
        identity = int(identity)
    if type(identity) is not (str if endpoint.id_type == "text" else int):
        log.warning(
            "A record of %s has the id %r and cannot be kept by it.", endpoint.entity, identity
        )
        return None
    return Record(identity, parse_time(keys.update_time), bytes(raw))


class _Keys(msgspec.Struct, gc=False):
    id: Any = None
    update_time: Any = None


class _NamedKeys(_Keys, gc=False):
    key: Any = None
    field_code: Any = None
    name: Any = None


_KEYS: dict[str, msgspec.json.Decoder[Any]] = {
    "entity": msgspec.json.Decoder(_Keys),
    "definitions": msgspec.json.Decoder(_NamedKeys),
    "reference": msgspec.json.Decoder(_NamedKeys),
}


def parse_time(value: object) -> datetime | None:
    """A Pipedrive timestamp in UTC: `2026-05-15 10:11:04` (v1) or `2026-05-15T10:11:04.968Z`.

    None for null and for anything that is no timestamp: the payload keeps what came, the
    transforms note what does not fit.
    """
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def without_repeats(records: Iterable[Record]) -> tuple[Record, ...]:
    """The records with each id once, as it came last."""
    return tuple({record.id: record for record in records}.values())
