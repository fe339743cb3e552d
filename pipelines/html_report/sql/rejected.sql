-- One row per column and reason: values that the column could not hold as they were sent.

select
    entity,
    column_name,
    reason,
    count(*) as values,
    sum(count(*)) over ()::bigint as all_values
from rejected_values
group by entity, column_name, reason
order by values desc, entity, column_name, reason
limit 50
