"""Everything that knows Pipedrive: client, endpoint table, dialects, walks, the dlt source.

Knows nothing of DuckDB, of files, or of who starts a load. `httpx` is imported in `client` only.
"""
