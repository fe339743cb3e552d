-- A deal is open, won, lost, converted or deleted.
--
-- severity: warn

select
    id,
    status
from crm.deals
where status is null or status not in ('open', 'won', 'lost', 'converted', 'deleted')
