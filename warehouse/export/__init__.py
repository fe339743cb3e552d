"""Copies of public tables or of a query for other programs: CSV, JSON lines, Parquet, xlsx.

Reads the published file alone, through its locked connection; nothing here runs a person's SQL
with a way out of that file. Knows nothing of Pipedrive: keys and times are told by who calls.
"""
