-- One row per lead source ever listed; the name is its id.
--
-- materialized: table

select
    id as name,
    position,
    _dlt_load_id < max(_dlt_load_id) over () as is_deleted
from raw.lead_sources
