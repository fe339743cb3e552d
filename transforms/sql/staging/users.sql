-- One row per user ever listed.
--
-- materialized: table

with source as (
    select
        id,
        _dlt_load_id,
        from_json(payload, '{
            "name": "VARCHAR",
            "email": "VARCHAR",
            "active_flag": "VARCHAR",
            "is_admin": "VARCHAR",
            "role_id": "VARCHAR",
            "timezone_name": "VARCHAR",
            "default_currency": "VARCHAR",
            "locale": "VARCHAR",
            "lang": "VARCHAR",
            "phone": "VARCHAR",
            "is_deleted": "VARCHAR",
            "created": "VARCHAR",
            "modified": "VARCHAR",
            "last_login": "VARCHAR"
        }') as record
    from raw.users
)

select
    -- ids
    id,
    as_id(record.role_id) as role_id,

    -- attributes
    record.name as name,
    record.email as email,
    record.phone as phone,
    as_boolean(record.active_flag) as is_active,
    as_boolean(record.is_admin) as is_admin,
    record.timezone_name as timezone_name,
    record.default_currency as default_currency,
    record.locale as locale,
    coalesce(as_boolean(record.is_deleted), false)
    or _dlt_load_id < max(_dlt_load_id) over () as is_deleted,

    -- times
    as_timestamp(record.created) as created,
    as_timestamp(record.modified) as modified,
    as_timestamp(record.last_login) as last_login,

    rejections([
        rejection('role_id', record.role_id, as_id(record.role_id), 'not a BIGINT'),
        rejection('is_active', record.active_flag, as_boolean(record.active_flag), 'not a BOOLEAN'),
        rejection('is_admin', record.is_admin, as_boolean(record.is_admin), 'not a BOOLEAN'),
        rejection('is_deleted', record.is_deleted, as_boolean(record.is_deleted), 'not a BOOLEAN'),
        rejection('created', record.created, as_timestamp(record.created), 'not a TIMESTAMPTZ'),
        rejection('modified', record.modified, as_timestamp(record.modified), 'not a TIMESTAMPTZ'),
        rejection('last_login', record.last_login, as_timestamp(record.last_login), 'not a TIMESTAMPTZ')
    ]) as rejected
from source
