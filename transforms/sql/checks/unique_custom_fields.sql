-- A custom field has one row in the dictionary of its entity, and a column that no other one has.
--
-- severity: error

select
    entity,
    key,
    null as column_name,
    count(*) as rows
from crm.custom_fields
group by entity, key
having count(*) > 1 or key is null

union all

-- names of columns are the same in upper and in lower case
select
    entity,
    null as key,
    lower(column_name) as column_name,
    count(*) as rows
from crm.custom_fields
group by entity, lower(column_name)
having count(*) > 1 or lower(column_name) is null
