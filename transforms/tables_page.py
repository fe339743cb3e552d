"""`docs/tables.md`, from the headers of the models: `python -m transforms.tables_page`.

It is written to stdout. The types are those of an empty account; custom columns are the
account's own, and left out.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from importlib.resources import files

import duckdb

from transforms.custom_fields.definitions import ENTITIES
from transforms.history_models import HISTORY_COLUMNS, history_name
from transforms.runner import transform

GROUPS = {
    "Records": ("leads", "persons", "organizations", "deals"),
    "Parts of persons": ("person_emails", "person_phones"),
    "What records refer to": (
        "users",
        "lead_labels",
        "lead_sources",
        "pipelines",
        "stages",
        "currencies",
    ),
    "The dictionary of custom fields": ("custom_fields", "custom_field_options"),
    "The ledger": ("sync_runs", "sync_steps", "sync_checks", "rejected_values"),
}
"""The public tables, in the order of the page."""

_START = """\
# Tables and columns

<!-- Made by python -m transforms.tables_page from the headers of the models. -->

What the published file holds, and `crm` in the working file. The descriptions are \
in the files too, as comments: `pipeduck tables` and `pipeduck columns leads` show them with what \
is in your account, and so does any tool that reads comments.

Leads, persons, organizations and deals have a column more for each custom field, named `cf_` and \
its label, and some fields have companions (`_currency`, `_id`, `_until`, …): \
[custom-fields.md](custom-fields.md). Times are `TIMESTAMPTZ`, in UTC.
"""

_HISTORY = """\
## Histories

{names}: one row per version of a record, for the entities named under `[history]` in \
`config.toml` ([history.md](history.md)). They have the columns of the entity's table, \
and these:
"""


def tables_page() -> str:
    """The page, in Markdown."""
    with duckdb.connect(":memory:") as connection:
        connection.execute((files("warehouse") / "sql" / "ops.sql").read_text("utf-8"))
        transform(connection, now=datetime.now(UTC), history=ENTITIES)
        parts = [_START]
        for group, tables in GROUPS.items():
            parts.append(f"## {group}\n")
            parts += [_table(connection, table) for table in tables]
        names = ", ".join(f"`{history_name(entity).removeprefix('crm.')}`" for entity in ENTITIES)
        parts.append(_HISTORY.format(names=names))
        history = history_name(ENTITIES[0]).removeprefix("crm.")
        parts.append(_columns(connection, history, only=tuple(HISTORY_COLUMNS)))
    return "\n".join(parts)


def _table(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    row = connection.execute(
        "select comment from duckdb_views() where schema_name = 'crm' and view_name = $table"
        " union all"
        " select comment from duckdb_tables() where schema_name = 'crm' and table_name = $table",
        {"table": table},
    ).fetchone()
    description = row[0] if row else ""
    return f"### {table}\n\n{description}\n\n{_columns(connection, table)}"


def _columns(
    connection: duckdb.DuckDBPyConnection, table: str, *, only: tuple[str, ...] = ()
) -> str:
    rows = connection.execute(
        "select column_name, data_type, coalesce(comment, '') from duckdb_columns()"
        " where schema_name = 'crm' and table_name = $table order by column_index",
        {"table": table},
    ).fetchall()
    lines = [
        f"| `{name}` | {_short(kind)} | {comment.replace('|', chr(92) + '|')} |"
        for name, kind, comment in rows
        if not only or name in only
    ]
    return "\n".join(["| column | type | holds |", "|---|---|---|", *lines, ""])


def _short(kind: str) -> str:
    return kind.replace("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ").replace('"', "")


if __name__ == "__main__":
    sys.stdout.write(tables_page())
