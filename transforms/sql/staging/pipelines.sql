-- One row per pipeline ever listed, from v1 and v2 records alike.
--
-- materialized: table

with source as (
    select
        id,
        _dlt_load_id,
        from_json(payload, '{
            "name": "VARCHAR",
            "order_nr": "VARCHAR",
            "is_deal_probability_enabled": "VARCHAR",
            "deal_probability": "VARCHAR",
            "is_deleted": "VARCHAR",
            "active": "VARCHAR",
            "add_time": "VARCHAR",
            "update_time": "VARCHAR"
        }') as record
    from raw.pipelines
),

-- one shape: v2's names, or those of v1
texts as (
    select
        source.*,
        {
            'is_deal_probability_enabled':
                coalesce(record.is_deal_probability_enabled, record.deal_probability),
            'is_deleted': coalesce(record.is_deleted, negated_text(record.active))
        } as text
    from source
)

select
    -- ids
    id,

    -- attributes
    record.name as name,
    as_integer(record.order_nr) as order_nr,
    as_boolean(text.is_deal_probability_enabled) as is_deal_probability_enabled,
    coalesce(as_boolean(text.is_deleted), false)
    or _dlt_load_id < max(_dlt_load_id) over () as is_deleted,

    -- times
    as_timestamp(record.add_time) as add_time,
    as_timestamp(record.update_time) as update_time,

    rejections([
        rejection('order_nr', record.order_nr, as_integer(record.order_nr), 'not an INTEGER'),
        rejection(
            'is_deal_probability_enabled',
            text.is_deal_probability_enabled,
            as_boolean(text.is_deal_probability_enabled),
            'not a BOOLEAN'
        ),
        rejection('is_deleted', text.is_deleted, as_boolean(text.is_deleted), 'not a BOOLEAN'),
        rejection('add_time', record.add_time, as_timestamp(record.add_time), 'not a TIMESTAMPTZ'),
        rejection('update_time', record.update_time, as_timestamp(record.update_time), 'not a TIMESTAMPTZ')
    ]) as rejected
from texts
