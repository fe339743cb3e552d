-- staging.leads_custom_fields: One row per record of leads, with its custom fields typed.
with source as (
    select
        id,
        payload,
        from_json(payload, '{
            "custom_fields": {
                "0101010101010101010101010101010101010101": {"value": "VARCHAR", "currency": "VARCHAR", "rate": "JSON"},
                "0202020202020202020202020202020202020202": "VARCHAR",
                "0303030303030303030303030303030303030303": "VARCHAR"
            },
            "0101010101010101010101010101010101010101": "VARCHAR",
            "0101010101010101010101010101010101010101_currency": "VARCHAR",
            "0101010101010101010101010101010101010101_rate": "JSON",
            "0202020202020202020202020202020202020202": "VARCHAR",
            "0303030303030303030303030303030303030303": "VARCHAR"
        }') as record
    from staging.lead_records
    where _dlt_load_id > $since
),

-- one shape: v2 has custom fields nested, v1 has them flat
texts as (
    select
        id,
        payload,
        value_text(record.custom_fields."0101010101010101010101010101010101010101", record."0101010101010101010101010101010101010101", payload, '/custom_fields/0101010101010101010101010101010101010101', ['value', 'currency', 'rate']) as "cf_budget as sent",
        coalesce(record.custom_fields."0101010101010101010101010101010101010101"."currency", record."0101010101010101010101010101010101010101_currency") as "cf_budget_currency as sent",
        coalesce(record.custom_fields."0101010101010101010101010101010101010101"."rate", record."0101010101010101010101010101010101010101_rate") as "cf_budget_rate as sent",
        nullif(coalesce(record.custom_fields."0202020202020202020202020202020202020202", record."0202020202020202020202020202020202020202"), '[]') as "cf_drop_table_leads_ids as sent",
        coalesce(record.custom_fields."0303030303030303030303030303030303030303", record."0303030303030303030303030303030303030303") as "cf_budget_030303 as sent"
    from source
),

typed as (
    select
        *,
        as_money("cf_budget as sent") as "cf_budget",
        as_text("cf_budget_currency as sent", payload, ['/custom_fields/0101010101010101010101010101010101010101/currency', '/0101010101010101010101010101010101010101_currency']) as "cf_budget_currency",
        "cf_budget_rate as sent" as "cf_budget_rate",
        as_ids("cf_drop_table_leads_ids as sent") as "cf_drop_table_leads_ids",
        as_text("cf_budget_030303 as sent", payload, ['/custom_fields/0303030303030303030303030303030303030303', '/0303030303030303030303030303030303030303']) as "cf_budget_030303"
    from texts
)

select
    id,

    -- Budget (monetary)
    "cf_budget",
    "cf_budget_currency",
    "cf_budget_rate",

    -- "; drop table leads; -- (set)
    list_transform("cf_drop_table_leads_ids", lambda id: 'unknown option ' || id) as "cf_drop_table_leads",
    "cf_drop_table_leads_ids",

    -- budget (varchar)
    "cf_budget_030303",

    case
        when is_suspect("cf_budget as sent", "cf_budget")
            or is_rounded("cf_budget as sent", "cf_budget")
            or is_suspect("cf_budget_currency as sent", "cf_budget_currency")
            or is_suspect("cf_drop_table_leads_ids as sent", "cf_drop_table_leads_ids")
            or is_suspect("cf_budget_030303 as sent", "cf_budget_030303")
            or misplaced_text(payload) is not null
        then rejections([
            rejection('cf_budget', "cf_budget as sent", "cf_budget", 'not a DECIMAL(18,4)'),
            rounding('cf_budget', "cf_budget as sent", "cf_budget"),
            rejection('cf_budget_currency', "cf_budget_currency as sent", "cf_budget_currency", 'not a VARCHAR'),
            rejection('cf_drop_table_leads_ids', "cf_drop_table_leads_ids as sent", "cf_drop_table_leads_ids", 'not a list of BIGINT'),
            rejection('cf_budget_030303', "cf_budget_030303 as sent", "cf_budget_030303", 'not a VARCHAR'),
            misplacement(payload)
        ])
    end as rejected
from typed

-- staging.leads_custom_columns: One row per record of leads: custom fields with the names of what they refer to.
select
    custom.id,
    custom."cf_budget",
    custom."cf_budget_currency",
    custom."cf_budget_rate",
    custom."cf_drop_table_leads",
    custom."cf_drop_table_leads_ids",
    custom."cf_budget_030303"
from staging.leads_custom_fields as custom
