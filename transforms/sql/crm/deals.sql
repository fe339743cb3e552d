-- One row per deal: open, won, lost, converted or deleted, archived or not.
--
-- materialized: view
-- columns:
--   id: Pipedrive's id
--   title: Title
--   status: open, won or lost; converted (back to a lead) or deleted where it is gone
--   is_archived: Whether the newest copy was read from the archive
--   archive_time: When it was archived
--   owner_id: The user who owns it
--   owner_name: Name of the owner
--   creator_id: The user who created it
--   creator_name: Name of the creator
--   person_id: The person it is linked to
--   person_name: Name of the person
--   organization_id: The organization it is linked to
--   organization_name: Name of the organization
--   pipeline_id: The pipeline it is in
--   pipeline_name: Name of the pipeline
--   stage_id: The stage it is in
--   stage_name: Name of the stage
--   value: Value
--   currency: Currency of the value
--   probability: Probability of success in percent
--   lost_reason: Why it was lost
--   expected_close_date: Expected close date
--   label_ids: Ids of its labels, in the record's order
--   labels: Names of its labels, in the record's order
--   origin: How it came to be: ManuallyCreated, API, Marketplace, …
--   origin_id: Id within the origin
--   channel: Marketing channel, an option id
--   channel_id: Id within the channel
--   source_lead_id: The lead it was made from
--   converted_lead_id: The lead it was converted to
--   arr: Annual recurring revenue; not in every plan
--   mrr: Monthly recurring revenue; not in every plan
--   acv: Annual contract value; not in every plan
--   visible_to: Visibility group: 1, 3, 5 or 7
--   add_time: When it was created
--   update_time: When it last changed
--   stage_change_time: When it last moved to another stage
--   close_time: When it was won or lost
--   won_time: When it was won
--   lost_time: When it was lost
--   is_deleted: Whether it is gone from Pipedrive's lists: deleted or converted
--   deleted_time: When it was deleted, or found to be gone
--   merged_into_id: The deal it was merged into

with label_names as (
    select map(list(option_id), list(label)) as names
    from ops.custom_field_options
    where entity = 'deals' and key = 'label_ids'
),

tombstones as (
    select id::bigint as id, reason, deleted_time, merged_into_id, converted_lead_id
    from ops.tombstones
    where entity = 'deals'
),

-- a record that says itself that it is deleted needs no tombstone
deals as (
    select
        * replace (coalesce(is_deleted, false) or coalesce(status = 'deleted', false) as is_deleted)
    from staging.deals
),

-- narrow until the end: the wide custom columns pass through one join only
named as (
    select
        deals.id,
        deals.title,
        case
            when tombstones.reason = 'converted' then 'converted'
            when tombstones.reason is not null or deals.is_deleted then 'deleted'
            else deals.status
        end as status,
        deals.is_archived,
        deals.archive_time,
        deals.owner_id,
        owners.name as owner_name,
        deals.creator_id,
        creators.name as creator_name,
        deals.person_id,
        persons.name as person_name,
        deals.organization_id,
        organizations.name as organization_name,
        deals.pipeline_id,
        pipelines.name as pipeline_name,
        deals.stage_id,
        stages.name as stage_name,
        deals.value,
        deals.currency,
        deals.probability,
        deals.lost_reason,
        deals.expected_close_date,
        deals.label_ids,
        list_transform(
            deals.label_ids,
            lambda id: coalesce(label_names.names[id::varchar], 'unknown option ' || id)
        ) as labels,
        deals.origin,
        deals.origin_id,
        deals.channel,
        deals.channel_id,
        deals.source_lead_id,
        tombstones.converted_lead_id,
        deals.arr,
        deals.mrr,
        deals.acv,
        deals.visible_to,
        deals.add_time,
        deals.update_time,
        deals.stage_change_time,
        deals.close_time,
        deals.won_time,
        deals.lost_time,
        tombstones.id is not null or deals.is_deleted as is_deleted,
        coalesce(
            tombstones.deleted_time,
            case when deals.is_deleted then deals.update_time end
        ) as deleted_time,
        coalesce(tombstones.merged_into_id, deals.merged_into_id) as merged_into_id
    from deals
    cross join label_names
    left join staging.users as owners on owners.id = deals.owner_id
    left join staging.users as creators on creators.id = deals.creator_id
    left join staging.persons as persons on persons.id = deals.person_id
    left join staging.organizations as organizations on organizations.id = deals.organization_id
    left join staging.pipelines as pipelines on pipelines.id = deals.pipeline_id
    left join staging.stages as stages on stages.id = deals.stage_id
    left join tombstones on tombstones.id = deals.id
)

select
    named.*,
    custom.* exclude (id)
from named
left join staging.deals_custom_columns as custom on custom.id = named.id
