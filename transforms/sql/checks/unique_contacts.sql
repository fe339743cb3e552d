-- No place among the e-mails or the phones of a person is taken twice.
--
-- severity: error

select
    'person_emails' as table_name,
    person_id,
    position,
    count(*) as rows
from crm.person_emails
group by person_id, position
having count(*) > 1 or person_id is null or position is null

union all

select
    'person_phones' as table_name,
    person_id,
    position,
    count(*) as rows
from crm.person_phones
group by person_id, position
having count(*) > 1 or person_id is null or position is null
