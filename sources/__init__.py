"""Where data comes from: `pipedrive` is the real API, `sandbox` its look-alike for demo and tests.

Knows nothing of DuckDB; nothing a real load runs imports `sources.sandbox`.
"""
