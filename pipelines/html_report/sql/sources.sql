-- One row per source, the one with most leads first; NULL: none is set.

select
    source_name as name,
    count(*) filter (status = 'open') as open_leads,
    count(*) filter (status = 'converted') as converted,
    count(*) filter (status = 'archived') as archived,
    count(*) filter (status = 'deleted') as deleted
from leads
group by all
order by count(*) desc, name
