-- A lead that is gone says since when, and no other lead does.
--
-- severity: error

select
    id,
    is_deleted,
    deleted_time
from crm.leads
where is_deleted is distinct from (deleted_time is not null)
