"""Models: one SQL file is one table or view, its path is its name, its header says the rest.

```sql
-- One row per person, gone or not.
--
-- Longer words, if they are needed.
--
-- materialized: view
-- columns:
--   id: Pipedrive's id
```

The first paragraph is the description and states the grain. `materialized` is `view`, `table`, or
`incremental`: a table whose SQL reads records with `_dlt_load_id > $since`, so that later
transforms decode only what is new.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from importlib.resources import files
from typing import Literal, cast, get_args

from transforms.headers import parse_header
from warehouse.errors import ModelError

Materialized = Literal["view", "table", "incremental"]

SCHEMAS = ("staging", "crm")
"""The schemas models live in, and the folders of their files."""

_KEYS = ("materialized", "columns")
_REFERENCE = re.compile(r"(?<![\w.\"])(raw|staging|crm|ops)\.(\w+)")
_NOT_CODE = re.compile(r"--[^\n]*|'(?:[^']|'')*'")


@dataclass(frozen=True, slots=True)
class Model:
    """One table or view: `name` is schema.name; `columns` are the descriptions of its columns."""

    name: str
    sql: str
    materialized: Materialized
    description: str
    columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def depends_on(self) -> frozenset[str]:
        """The relations the SQL names."""
        code = _NOT_CODE.sub(" ", self.sql)
        return frozenset(".".join(match) for match in _REFERENCE.findall(code)) - {self.name}


def load_models() -> dict[str, Model]:
    """Every model in `transforms/sql`, by name."""
    models: dict[str, Model] = {}
    for schema in SCHEMAS:
        for file in sorted(
            files("transforms").joinpath("sql", schema).iterdir(), key=lambda f: f.name
        ):
            if file.name.endswith(".sql"):
                name = f"{schema}.{file.name.removesuffix('.sql')}"
                models[name] = parse_model(name, file.read_text(encoding="utf-8"))
    return models


def read_sql(name: str) -> str:
    """The text of a file directly in `transforms/sql`."""
    return files("transforms").joinpath("sql", name).read_text(encoding="utf-8")


def parse_model(name: str, text: str) -> Model:
    """A model from the text of its file. Raises ModelError for a header that says too little."""
    header = parse_header(name, text, _KEYS)
    if not header.description:
        raise ModelError(
            f"{name} does not say what one row is.",
            f"Start transforms/sql/{name.replace('.', '/')}.sql with '-- One row per …'.",
        )
    materialized = header.settings.get("materialized", "")
    if materialized not in get_args(Materialized):
        raise ModelError(
            f"{name} is materialized as {materialized!r}, which is no way to build a model.",
            f"Write '-- materialized: ' and one of {', '.join(get_args(Materialized))}.",
        )
    if (materialized == "incremental") != ("$since" in header.sql):
        raise ModelError(
            f"{name} is materialized as {materialized}, and $since says otherwise.",
            "An incremental model, and no other, reads records 'where _dlt_load_id > $since'.",
        )
    return Model(
        name, header.sql, cast(Materialized, materialized), header.description, header.columns
    )


def in_order(models: Mapping[str, Model], existing: Collection[str]) -> list[Model]:
    """The models, each after those it reads. `existing` are the relations of raw and ops.

    Raises ModelError for a reference to nothing, and for a circle.
    """
    known = {*models, *existing}
    graph: dict[str, Iterable[str]] = {}
    for model in models.values():
        for reference in sorted(model.depends_on - known):
            nearest = difflib.get_close_matches(reference, known, n=1)
            raise ModelError(
                f"{model.name} reads {reference}, which does not exist.",
                f"Did you mean {nearest[0]}?" if nearest else "Add a model of that name.",
            )
        graph[model.name] = sorted(model.depends_on & models.keys())
    try:
        return [models[name] for name in TopologicalSorter(graph).static_order()]
    except CycleError as error:
        raise ModelError(
            f"Models read each other in a circle: {' -> '.join(error.args[1])}.",
            "Move what they share into a model of its own.",
        ) from error
