-- Most records of an entity have values that fit their columns.
--
-- Most is all but `checks.max_rejected_share` of config.toml. Where more, and at least a hundred,
-- do not fit a column, Pipedrive sends it in a shape of which we know nothing.
--
-- severity: error

with rejected as (
    select entity, column_name, count(distinct id) as rejected
    from ops.rejected_values
    where reason <> 'rounded'
    group by entity, column_name
),

records as (
    select 'leads' as entity, count(*) as records
    from staging.leads
    union all
    select 'persons', count(*)
    from staging.persons
    union all
    select 'organizations', count(*)
    from staging.organizations
    union all
    select 'deals', count(*)
    from staging.deals
)

select
    rejected.entity,
    rejected.column_name,
    rejected.rejected,
    records.records
from rejected
join records on records.entity = rejected.entity
where rejected.rejected >= 100 and rejected.rejected > $max_rejected_share * records.records
