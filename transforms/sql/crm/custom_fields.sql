-- One row per custom field ever seen: the dictionary from Pipedrive's labels to columns.
--
-- materialized: view
-- columns:
--   entity: leads, persons, organizations or deals
--   key: Pipedrive's key, 40 characters
--   label: Its name in Pipedrive
--   column_name: Its main column in the table of the entity
--   sql_type: Type of the main column
--   field_type: Type in Pipedrive
--   is_active: False: deleted in Pipedrive, the column keeps the last values known
--   first_seen: When it was first loaded
--   renamed_from: Its name before the last rename
--   aliases: Earlier names of the column, which still work
--   options: Options that can be chosen now

with active_options as (
    select
        entity,
        key,
        list({'id': try_cast(option_id as bigint), 'label': label} order by position, option_id)
            as options
    from ops.custom_field_options
    where is_active
    group by entity, key
)

select
    fields.entity,
    fields.key,
    fields.label,
    fields.column_name,
    coalesce(types.sql_type, 'JSON') as sql_type,
    fields.field_type,
    fields.is_active,
    fields.first_seen,
    fields.renamed_from,
    fields.aliases,
    coalesce(active_options.options, []) as options
from ops.custom_columns as fields
left join staging.field_types as types on types.field_type = fields.field_type
left join active_options on active_options.entity = fields.entity and active_options.key = fields.key
order by fields.entity, fields.is_active desc, fields.position, fields.key
