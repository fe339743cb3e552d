-- staging.deals_custom_fields: One row per record of deals, with its custom fields typed.
select
    id,
    null::struct(column_name varchar, value varchar, reason varchar)[] as rejected
from staging.deal_records
where _dlt_load_id > $since

-- staging.deals_custom_columns: One row per record of deals: custom fields with the names of what they refer to.
select
    custom.id
from staging.deals_custom_fields as custom
