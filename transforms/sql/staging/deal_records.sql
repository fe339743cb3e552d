-- One row per deal: its newest copy.
--
-- A deal that moved stands in both listings of Pipedrive as raw keeps them; the copy that was read
-- last is the truth, the archived one if both were read at once.
--
-- materialized: view

select id, payload, api, read_time, true as is_archived, _dlt_load_id
from raw.archived_deals as archived
where not exists (
    select 1
    from raw.deals as listed
    where listed.id = archived.id and listed.read_time > archived.read_time
)

union all

select id, payload, api, read_time, false as is_archived, _dlt_load_id
from raw.deals as listed
where not exists (
    select 1
    from raw.archived_deals as archived
    where archived.id = listed.id and archived.read_time >= listed.read_time
)
