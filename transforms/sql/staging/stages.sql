-- One row per stage ever listed, from v1 and v2 records alike.
--
-- materialized: table

with source as (
    select
        id,
        _dlt_load_id,
        from_json(payload, '{
            "name": "VARCHAR",
            "pipeline_id": "VARCHAR",
            "order_nr": "VARCHAR",
            "deal_probability": "VARCHAR",
            "is_deal_rot_enabled": "VARCHAR",
            "rotten_flag": "VARCHAR",
            "days_to_rotten": "VARCHAR",
            "rotten_days": "VARCHAR",
            "is_deleted": "VARCHAR",
            "active_flag": "VARCHAR",
            "add_time": "VARCHAR",
            "update_time": "VARCHAR"
        }') as record
    from raw.stages
),

-- one shape: v2's names, or those of v1
texts as (
    select
        source.*,
        {
            'is_deal_rot_enabled': coalesce(record.is_deal_rot_enabled, record.rotten_flag),
            'days_to_rotten': coalesce(record.days_to_rotten, record.rotten_days),
            'is_deleted': coalesce(record.is_deleted, negated_text(record.active_flag))
        } as text
    from source
)

select
    -- ids
    id,
    as_id(record.pipeline_id) as pipeline_id,

    -- attributes
    record.name as name,
    as_integer(record.order_nr) as order_nr,
    as_number(record.deal_probability) as deal_probability,
    as_boolean(text.is_deal_rot_enabled) as is_deal_rot_enabled,
    as_integer(text.days_to_rotten) as days_to_rotten,
    coalesce(as_boolean(text.is_deleted), false)
    or _dlt_load_id < max(_dlt_load_id) over () as is_deleted,

    -- times
    as_timestamp(record.add_time) as add_time,
    as_timestamp(record.update_time) as update_time,

    rejections([
        rejection('pipeline_id', record.pipeline_id, as_id(record.pipeline_id), 'not a BIGINT'),
        rejection('order_nr', record.order_nr, as_integer(record.order_nr), 'not an INTEGER'),
        rejection(
            'deal_probability',
            record.deal_probability,
            as_number(record.deal_probability),
            'not a DOUBLE'
        ),
        rejection(
            'is_deal_rot_enabled',
            text.is_deal_rot_enabled,
            as_boolean(text.is_deal_rot_enabled),
            'not a BOOLEAN'
        ),
        rejection('days_to_rotten', text.days_to_rotten, as_integer(text.days_to_rotten), 'not an INTEGER'),
        rejection('is_deleted', text.is_deleted, as_boolean(text.is_deleted), 'not a BOOLEAN'),
        rejection('add_time', record.add_time, as_timestamp(record.add_time), 'not a TIMESTAMPTZ'),
        rejection('update_time', record.update_time, as_timestamp(record.update_time), 'not a TIMESTAMPTZ')
    ]) as rejected
from texts
