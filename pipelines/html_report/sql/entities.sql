-- One row per table: how much of it there is, its newest change, and when it was last read.

with counted as (
    select
        1 as place,
        'leads' as entity,
        count(*) filter (not is_deleted) as live,
        count(*) filter (is_deleted) as gone,
        max(update_time) as newest_change
    from leads
    union all
    select
        2,
        'persons',
        count(*) filter (not is_deleted),
        count(*) filter (is_deleted),
        max(update_time)
    from persons
    union all
    select
        3,
        'organizations',
        count(*) filter (not is_deleted),
        count(*) filter (is_deleted),
        max(update_time)
    from organizations
    union all
    select
        4,
        'deals',
        count(*) filter (not is_deleted),
        count(*) filter (is_deleted),
        max(update_time)
    from deals
),

reads as (
    select entity, max(started_time) as last_read
    from sync_steps
    where step = 'read' and error is null
    group by entity
)

select counted.entity, counted.live, counted.gone, counted.newest_change, reads.last_read
from counted
left join reads on reads.entity = counted.entity
order by counted.place
