"""Custom fields: from Pipedrive's definitions to named, typed columns (design section 4).

`definitions` reads them, `naming` and `registry` give each its column for ever, `options` keeps
their labels, `field_types` is the type table, `generate` writes the SQL.
"""
