-- One row per week, the last 26 of them: leads that were created in it, by what they are now.

with weeks as (
    select unnest(generate_series(
        date_trunc('week', $as_of::timestamptz) - interval 175 days,
        date_trunc('week', $as_of::timestamptz),
        interval 7 days
    )) as week
),

created as (
    select
        -- what came while the last run was reading belongs to the last week
        least(date_trunc('week', add_time), date_trunc('week', $as_of::timestamptz)) as week,
        status
    from leads
)

select
    weeks.week::date as week,
    count(*) filter (status = 'open') as open_leads,
    count(*) filter (status = 'converted') as converted,
    count(*) filter (status = 'archived') as archived,
    count(*) filter (status = 'deleted') as deleted
from weeks
left join created on created.week = weeks.week
group by weeks.week
order by weeks.week
