-- One row per lead: its newest copy.
--
-- A lead that moved stands in both listings of Pipedrive as raw keeps them; the copy that was read
-- last is the truth, the archived one if both were read at once.
--
-- materialized: view

select id, payload, api, read_time, true as is_archived, _dlt_load_id
from raw.archived_leads as archived
where not exists (
    select 1
    from raw.leads as open
    where open.id = archived.id and open.read_time > archived.read_time
)

union all

select id, payload, api, read_time, false as is_archived, _dlt_load_id
from raw.leads as open
where not exists (
    select 1
    from raw.archived_leads as archived
    where archived.id = open.id and archived.read_time >= open.read_time
)
