"""Custom fields: from Pipedrive's definitions to named, typed columns (design section 4).

`definitions` reads them, `naming` and `registry` give each its column for ever, `options` keeps
their labels, `differences` tells what changed; `field_types` is the type table, `values` says where
a value is, `generate` writes the SQL, and `retired` keeps the values of deleted fields.
"""
