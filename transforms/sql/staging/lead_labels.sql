-- One row per lead label ever listed.
--
-- materialized: table

with source as (
    select
        id,
        position,
        _dlt_load_id,
        from_json(payload, '{
            "name": "VARCHAR",
            "color": "VARCHAR",
            "add_time": "VARCHAR",
            "update_time": "VARCHAR"
        }') as record
    from raw.lead_labels
)

select
    -- ids
    id,

    -- attributes
    record.name as name,
    record.color as color,
    position,
    _dlt_load_id < max(_dlt_load_id) over () as is_deleted,

    -- times
    as_timestamp(record.add_time) as add_time,
    as_timestamp(record.update_time) as update_time,

    rejections([
        rejection('add_time', record.add_time, as_timestamp(record.add_time), 'not a TIMESTAMPTZ'),
        rejection('update_time', record.update_time, as_timestamp(record.update_time), 'not a TIMESTAMPTZ')
    ]) as rejected
from source
