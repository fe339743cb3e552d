-- One row per lead source, past ones included.
--
-- materialized: view
-- columns:
--   name: Name
--   is_deleted: Whether it is no longer listed

select
    name,
    is_deleted
from staging.lead_sources
order by position, name
