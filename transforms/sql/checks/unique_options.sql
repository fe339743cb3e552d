-- An option stands once among the options of its field.
--
-- Labels are looked up by it: two rows would leave it open which one is shown.
--
-- severity: error

select
    entity,
    key,
    option_id,
    count(*) as rows
from crm.custom_field_options
group by entity, key, option_id
having count(*) > 1 or option_id is null
