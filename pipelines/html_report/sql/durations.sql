-- One row per span of time: leads by how long they lived until they were archived or converted.
--
-- Without those whose times say that they ended before they began: `impossible` counts them.

with spans(place, span) as (
    values
        (1, 'under a day'),
        (2, '1 to 7 days'),
        (3, '1 to 4 weeks'),
        (4, '4 weeks to 3 months'),
        (5, '3 to 6 months'),
        (6, '6 to 12 months'),
        (7, 'over a year')
),

ended as (
    select
        status,
        (
            epoch_ms(case when status = 'archived' then archive_time else deleted_time end)
            - epoch_ms(add_time)
        ) / 86400000 as days
    from leads
    where status in ('archived', 'converted')
),

placed as (
    select
        case
            when days < 1 then 1
            when days < 7 then 2
            when days < 28 then 3
            when days < 91 then 4
            when days < 182 then 5
            when days < 365 then 6
            else 7
        end as place,
        count(*) filter (status = 'archived') as archived,
        count(*) filter (status = 'converted') as converted
    from ended
    where days >= 0
    group by place
)

select
    spans.span,
    coalesce(placed.archived, 0) as archived,
    coalesce(placed.converted, 0) as converted,
    (select median(days) from ended where status = 'archived' and days >= 0) as archived_median,
    (select median(days) from ended where status = 'converted' and days >= 0) as converted_median,
    (select count(*) from ended where days < 0 or days is null) as impossible
from spans
left join placed on placed.place = spans.place
order by spans.place
