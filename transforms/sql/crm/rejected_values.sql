-- One row per value that its column could not hold as it was sent.
--
-- materialized: view
-- columns:
--   entity: leads, persons or organizations
--   id: Id of the record
--   column_name: The column that is NULL, or rounded
--   value: What Pipedrive sent
--   reason: Why it does not fit

select
    entity,
    id,
    column_name,
    value,
    reason
from ops.rejected_values
order by entity, id, column_name
