"""The DuckDB file: opening, quoting, the run ledger (`ops`), publishing, querying.

Knows nothing of Pipedrive.
"""
