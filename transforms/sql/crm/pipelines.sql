-- One row per pipeline, past ones included.
--
-- materialized: view
-- columns:
--   id: Pipedrive's id
--   name: Name
--   order_nr: Place among the pipelines; the lowest is the default one
--   is_deal_probability_enabled: Whether its deals have a probability
--   is_deleted: Whether it is deleted, or no longer listed
--   add_time: When it was created
--   update_time: When it last changed

select
    id,
    name,
    order_nr,
    is_deal_probability_enabled,
    is_deleted,
    add_time,
    update_time
from staging.pipelines
order by order_nr, id
