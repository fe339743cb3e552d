-- One row per option ever seen of a custom field, or of the labels of all but leads.
--
-- materialized: view
-- columns:
--   entity: leads, persons, organizations or deals
--   key: Key of the field; label_ids for labels
--   column_name: Column of the field
--   option_id: Pipedrive's id of the option
--   label: Newest label
--   color: Color, where Pipedrive has one
--   position: Place in the list of options
--   is_active: False: deleted in Pipedrive
--   first_seen: When it was first loaded

select
    options.entity,
    options.key,
    case when options.key = 'label_ids' then 'labels' else fields.column_name end as column_name,
    options.option_id,
    options.label,
    options.color,
    options.position,
    options.is_active,
    options.first_seen
from ops.custom_field_options as options
left join ops.custom_columns as fields on fields.entity = options.entity and fields.key = options.key
order by options.entity, options.key, options.is_active desc, options.position, options.option_id
