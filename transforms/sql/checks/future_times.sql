-- No record was created or changed later than a day from now.
--
-- severity: warn

with times as (
    select 'leads' as entity, id, add_time, update_time
    from staging.leads
    where greatest(add_time, update_time) > $now + interval 1 day
    union all
    select 'persons', id::varchar, add_time, update_time
    from staging.persons
    where greatest(add_time, update_time) > $now + interval 1 day
    union all
    select 'organizations', id::varchar, add_time, update_time
    from staging.organizations
    where greatest(add_time, update_time) > $now + interval 1 day
    union all
    select 'deals', id::varchar, add_time, update_time
    from staging.deals
    where greatest(add_time, update_time) > $now + interval 1 day
)

select
    entity,
    id,
    add_time,
    update_time
from times
