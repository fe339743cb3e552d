-- One row: the numbers on top. Weeks begin on Monday; weeks and months are those of UTC.
--
-- A lead that came and was converted between two runs was never loaded; its deal names it.

with borders as (
    select
        date_trunc('week', $as_of::timestamptz) as week,
        date_trunc('week', $as_of::timestamptz) - interval 7 days as last_week,
        date_trunc('month', $as_of::timestamptz) as month,
        date_trunc('month', $as_of::timestamptz) - interval 1 month as last_month
),

conversions as (
    select deleted_time as converted_time
    from leads
    where status = 'converted'
    union all
    select min(add_time)
    from deals
    where source_lead_id is not null and source_lead_id not in (select id from leads)
    group by source_lead_id
),

converted as (
    select
        count(*) filter (converted_time >= month) as this_month,
        count(*) filter (
            converted_time >= last_month and converted_time < month
        ) as month_before
    from conversions
    cross join borders
)

select
    count(*) as leads,
    count(*) filter (status = 'open') as open_leads,
    count(*) filter (status = 'open' and not was_seen) as unseen,
    count(*) filter (add_time >= week) as new_this_week,
    count(*) filter (add_time >= last_week and add_time < week) as new_last_week,
    (select this_month from converted) as converted_this_month,
    (select month_before from converted) as converted_last_month
from leads
cross join borders
