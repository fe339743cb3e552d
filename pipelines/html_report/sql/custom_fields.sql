-- One row per custom field that is in use, in the order of the dictionary.

select entity, label, column_name, sql_type, field_type
from custom_fields
where is_active
