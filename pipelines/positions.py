"""Where the next read of each entity begins: dlt's own state, as the last package committed it."""

from __future__ import annotations

import json
import zlib
from base64 import b64decode
from typing import Any

import duckdb

PIPELINE = "pipedrive"
"""The dlt pipeline, its source, and the name the state is kept under."""


def read_positions(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, Any]]:
    """The state of each dlt resource (see `Reading.position`), without importing dlt.

    dlt keeps a pipeline's state as base64 of deflated JSON; a test compares this with dlt's word.
    """
    if not connection.execute(
        "select 1 from duckdb_tables() "
        "where schema_name = 'raw' and table_name = '_dlt_pipeline_state'"
    ).fetchall():
        return {}
    newest = connection.execute(
        """
        select states.state
        from raw._dlt_pipeline_state as states
        join raw._dlt_loads as loads on loads.load_id = states._dlt_load_id
        where states.pipeline_name = ? and loads.status = 0
        order by loads.load_id desc
        limit 1
        """,
        [PIPELINE],
    ).fetchone()
    if newest is None:
        return {}
    state = json.loads(zlib.decompress(b64decode(newest[0])))
    resources: dict[str, dict[str, Any]] = (
        state.get("sources", {}).get(PIPELINE, {}).get("resources", {})
    )
    return resources
