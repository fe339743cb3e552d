-- One row per currency, past ones included.
--
-- materialized: view
-- columns:
--   id: Pipedrive's id
--   code: ISO 4217 code, or the code of a custom currency
--   name: Name
--   decimal_points: Decimals that are shown
--   symbol: Symbol
--   is_active: Whether it can be chosen
--   is_custom: Whether the account made it itself
--   is_deleted: Whether it is no longer listed

select
    id,
    code,
    name,
    decimal_points,
    symbol,
    is_active,
    is_custom,
    is_deleted
from staging.currencies
order by position, id
