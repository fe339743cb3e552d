-- One row per currency of open leads, the one with most leads first; NULL: no value is set.

with open_leads as (
    select case when value is not null then coalesce(currency, '') end as code, value
    from leads
    where status = 'open'
)

select
    code as currency,
    count(*) as leads,
    sum(value) as value
from open_leads
group by code
order by code is null, count(*) desc, code
