-- One row per label, the one with most leads first; NULL: leads without one.
--
-- A lead with two labels counts for both.

with labelled as (
    select
        unnest(case when len(labels) > 0 then list_distinct(labels) else [null] end) as name,
        status
    from leads
)

select
    name,
    count(*) filter (status = 'open') as open_leads,
    count(*) filter (status = 'converted') as converted,
    count(*) filter (status = 'archived') as archived,
    count(*) filter (status = 'deleted') as deleted
from labelled
group by all
order by count(*) desc, name
