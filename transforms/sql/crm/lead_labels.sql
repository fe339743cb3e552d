-- One row per lead label, past ones included.
--
-- materialized: view
-- columns:
--   id: Pipedrive's id, a UUID
--   name: Name
--   color: Color
--   add_time: When it was created
--   update_time: When it last changed
--   is_deleted: Whether it is no longer listed

select
    id,
    name,
    color,
    add_time,
    update_time,
    is_deleted
from staging.lead_labels
order by position, id
