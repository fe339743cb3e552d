-- staging.organizations_custom_fields: One row per record of organizations, with its custom fields typed.
select
    id,
    null::struct(column_name varchar, value varchar, reason varchar)[] as rejected
from raw.organizations
where _dlt_load_id > $since

-- staging.organizations_custom_columns: One row per record of organizations: custom fields with the names of what they refer to.
select
    custom.id
from staging.organizations_custom_fields as custom
