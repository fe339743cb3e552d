"""The published file at one moment, read whole."""

from __future__ import annotations

from typing import Any

import duckdb
from expected import Row
from projects import Project

from sources.pipedrive.endpoints import TABLES

_NAMED = ("persons", "organizations", "pipelines", "stages")


class Published:
    """The rows of every public table. Raises AssertionError where one has a key twice."""

    def __init__(self, project: Project) -> None:
        file = project.folder / "pipedrive.duckdb"
        with duckdb.connect(str(file), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")

            def read(name: str) -> list[Row]:
                cursor = connection.execute(f"from {name}")
                columns = [column[0] for column in cursor.description or ()]
                return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]

            self.tables: dict[str, dict[Any, Row]] = {}
            for name in (*TABLES, "pipelines", "stages"):
                rows = read(name)
                self.tables[name] = {row["id"]: row for row in rows}
                assert len(rows) == len(self.tables[name]), f"an id is twice in {name}"
            self.contacts = {name: read(name) for name in ("person_emails", "person_phones")}
            self.references = {
                name: read(name) for name in ("users", "lead_labels", "lead_sources", "currencies")
            }
            rows = read("custom_fields")
            self.fields = {(str(row["entity"]), str(row["key"])): row for row in rows}
            assert len(rows) == len(self.fields), "a field is twice in the dictionary"
            self.options = read("custom_field_options")
            keys = {(row["entity"], row["key"], row["option_id"]) for row in self.options}
            assert len(keys) == len(self.options), "an option is twice in the dictionary"

    def names(self) -> dict[str, dict[int, str | None]]:
        """The names of what others refer to, by table and id, gone or not."""
        return {
            table: {id_: row["name"] for id_, row in self.tables[table].items()} for table in _NAMED
        }
