-- One row per currency ever listed.
--
-- materialized: table

with source as (
    select
        id,
        position,
        _dlt_load_id,
        from_json(payload, '{
            "code": "VARCHAR",
            "name": "VARCHAR",
            "decimal_points": "VARCHAR",
            "symbol": "VARCHAR",
            "active_flag": "VARCHAR",
            "is_custom_flag": "VARCHAR"
        }') as record
    from raw.currencies
)

select
    id,
    record.code as code,
    record.name as name,
    as_integer(record.decimal_points) as decimal_points,
    record.symbol as symbol,
    as_boolean(record.active_flag) as is_active,
    as_boolean(record.is_custom_flag) as is_custom,
    position,
    _dlt_load_id < max(_dlt_load_id) over () as is_deleted,

    rejections([
        rejection('decimal_points', record.decimal_points, as_integer(record.decimal_points), 'not an INTEGER'),
        rejection('is_active', record.active_flag, as_boolean(record.active_flag), 'not a BOOLEAN'),
        rejection('is_custom', record.is_custom_flag, as_boolean(record.is_custom_flag), 'not a BOOLEAN')
    ]) as rejected
from source
