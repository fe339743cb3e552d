-- One row per span of time: open leads by how long ago they were created.

with spans(place, span) as (
    values
        (1, 'under a week'),
        (2, '1 to 4 weeks'),
        (3, '4 weeks to 3 months'),
        (4, '3 to 6 months'),
        (5, '6 to 12 months'),
        (6, '1 to 2 years'),
        (7, 'over 2 years')
),

open_leads as (
    select greatest((epoch_ms($as_of::timestamptz) - epoch_ms(add_time)) / 86400000, 0) as days
    from leads
    where status = 'open' and add_time is not null
),

placed as (
    select
        case
            when days < 7 then 1
            when days < 28 then 2
            when days < 91 then 3
            when days < 182 then 4
            when days < 365 then 5
            when days < 730 then 6
            else 7
        end as place,
        count(*) as leads
    from open_leads
    group by place
)

select
    spans.span,
    coalesce(placed.leads, 0) as leads,
    (select median(days) from open_leads) as median_days
from spans
left join placed on placed.place = spans.place
order by spans.place
