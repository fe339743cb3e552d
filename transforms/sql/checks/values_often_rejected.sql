-- Hardly any record of an entity has a value that does not fit its column.
--
-- Hardly any is one in twenty, or fewer than twenty in all. What `values_mostly_rejected` finds is
-- not told twice.
--
-- severity: warn

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
where
    rejected.rejected >= 20
    and rejected.rejected > 0.05 * records.records
    and not (
        rejected.rejected >= 100 and rejected.rejected > $max_rejected_share * records.records
    )
