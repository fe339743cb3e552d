"""From `raw` to `crm`: SQL models (path = name), the custom-field generator and the runner.

Does no HTTP; imports `warehouse` only.
"""
