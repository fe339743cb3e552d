"""Descriptions as `COMMENT ON`: they travel with the file to whoever opens it."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from transforms.models import Model
from warehouse.quoting import quote_identifier, quote_literal


def write_comments(
    connection: duckdb.DuckDBPyConnection, model: Model, custom: Mapping[str, str]
) -> None:
    """Describe a built model and its columns; `custom` speaks for the generated columns."""
    schema, name = model.name.split(".")
    relation = f"{quote_identifier(schema)}.{quote_identifier(name)}"
    kind = "view" if model.materialized == "view" else "table"
    statements = [f"comment on {kind} {relation} is {quote_literal(model.description)}"]
    descriptions = {**custom, **model.columns}
    rows = connection.execute(
        "select column_name from duckdb_columns() where schema_name = $schema"
        " and table_name = $name and database_name = current_database()",
        {"schema": schema, "name": name},
    ).fetchall()
    for (column,) in rows:
        if column in descriptions:
            text = quote_literal(descriptions[column])
            statements.append(f"comment on column {relation}.{quote_identifier(column)} is {text}")
    connection.execute(";\n".join(statements))
