-- A lead is open, archived, converted or deleted.
--
-- severity: error

select
    id,
    status
from crm.leads
where status is null or status not in ('open', 'archived', 'converted', 'deleted')
