-- No record is merged into itself.
--
-- severity: warn

select 'persons' as entity, id::varchar as id
from staging.persons
where merged_into_id = id

union

select 'organizations', id::varchar
from staging.organizations
where merged_into_id = id

union

select 'deals', id::varchar
from staging.deals
where merged_into_id = id

union

select entity, id
from ops.tombstones
where merged_into_id::varchar = id
