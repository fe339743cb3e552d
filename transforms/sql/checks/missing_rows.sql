-- Every record that was loaded is a row of its table, with its custom fields.
--
-- Transforms take in what came with later loads than before. A record that slipped by is found by
-- its absence, and put right by building from all records: pipeduck transform --full.
--
-- severity: error

with counts as (
    select
        'leads' as table_name,
        (select count(*) from staging.lead_records) as records,
        (select count(*) from staging.leads) as rows,
        (select count(*) from staging.leads_custom_fields) as custom_rows
    union all
    select
        'persons',
        (select count(*) from raw.persons),
        (select count(*) from staging.persons),
        (select count(*) from staging.persons_custom_fields)
    union all
    select
        'organizations',
        (select count(*) from raw.organizations),
        (select count(*) from staging.organizations),
        (select count(*) from staging.organizations_custom_fields)
    union all
    select
        'deals',
        (select count(*) from staging.deal_records),
        (select count(*) from staging.deals),
        (select count(*) from staging.deals_custom_fields)
)

select
    table_name,
    records,
    rows,
    custom_rows
from counts
where rows <> records or custom_rows <> records
