"""v2 or collection: which of the two serves persons, organizations and definitions.

Pipedrive stopped supporting the collection endpoints on 2026-08-01 in favour of the v2 lists.
Where one is not served, `auto` takes the other; switching neither loses nor repeats history,
because rows are merged on id and the watermark is the same.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Literal

from .endpoints import Dialect, Endpoint, Route
from .errors import NotServed
from .pages import Page

log = logging.getLogger("pipeduck.dialects")
ApiSetting = Literal["auto", "v2", "collection"]


class DialectChoice:
    """The dialect in use. `remembered` is what an earlier run settled on (`auto` only)."""

    def __init__(self, api: ApiSetting, remembered: Dialect | None = None) -> None:
        self._is_auto = api == "auto"
        self._preferred: Dialect = "v2" if api == "auto" else api
        if self._is_auto and remembered:
            self._preferred = remembered
        self.used: Dialect | None = None  # by the entities that have two dialects

    def open(
        self, endpoint: Endpoint, walk: Callable[[Route], Iterator[Page]]
    ) -> tuple[Route, Iterator[Page]]:
        """The route that is served and its pages, the first one already fetched.

        Raises NotServed when the configured dialect, or with `auto` neither, is served.
        """
        first = self._preferred
        try:
            return self._begin(endpoint, first, walk)
        except NotServed:
            other: Dialect = "collection" if first == "v2" else "v2"
            if not self._is_auto or endpoint.route(other) == endpoint.route(first):
                raise
            log.warning("%s: %s is not served here, taking %s.", endpoint.entity, first, other)
            return self._begin(endpoint, other, walk)

    def _begin(
        self, endpoint: Endpoint, dialect: Dialect, walk: Callable[[Route], Iterator[Page]]
    ) -> tuple[Route, Iterator[Page]]:
        route = endpoint.route(dialect)
        pages = walk(route)
        first_page = next(pages, None)
        if endpoint.kind == "entity" and endpoint.v2 != endpoint.collection:
            self.used = dialect
            if self._is_auto:
                self._preferred = dialect
        return route, pages if first_page is None else chain([first_page], pages)
