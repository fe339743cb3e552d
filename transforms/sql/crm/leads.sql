-- One row per lead: open, archived, converted or deleted.
--
-- materialized: view
-- columns:
--   id: Pipedrive's id, a UUID
--   title: Title
--   status: open, archived, converted (to a deal) or deleted
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
--   label_ids: Ids of its labels, in the record's order
--   labels: Names of its labels, in the record's order
--   value: Potential value
--   currency: Currency of the value
--   source_name: Lead source
--   origin: How it came to be: ManuallyCreated, API, Marketplace, …
--   origin_id: Id within the origin
--   channel: Marketing channel, an option id
--   channel_id: Id within the channel
--   source_deal_id: The deal it was made from
--   converted_deal_id: The deal it was converted to
--   was_seen: Whether anyone has opened it
--   expected_close_date: Expected close date
--   next_activity_id: The next planned activity
--   visible_to: Visibility group: 1, 3, 5 or 7
--   cc_email: Address that files e-mails with it
--   add_time: When it was created
--   update_time: When it last changed
--   is_deleted: Whether it is gone from Pipedrive's lists: deleted or converted
--   deleted_time: When it was converted, or found to be gone

with label_names as (
    select map(list(id), list(name)) as names
    from staging.lead_labels
),

tombstones as (
    select id, reason, deleted_time, converted_deal_id
    from ops.tombstones
    where entity = 'leads'
),

-- narrow until the end: the wide custom columns pass through one join only
named as (
    select
        leads.id,
        leads.title,
        case
            when tombstones.reason = 'converted' then 'converted'
            when tombstones.reason is not null then 'deleted'
            when leads.is_archived then 'archived'
            else 'open'
        end as status,
        leads.is_archived,
        leads.archive_time,
        leads.owner_id,
        owners.name as owner_name,
        leads.creator_id,
        creators.name as creator_name,
        leads.person_id,
        persons.name as person_name,
        leads.organization_id,
        organizations.name as organization_name,
        leads.label_ids,
        list_transform(
            leads.label_ids, lambda id: coalesce(label_names.names[id], 'unknown label ' || id)
        ) as labels,
        leads.value,
        leads.currency,
        leads.source_name,
        leads.origin,
        leads.origin_id,
        leads.channel,
        leads.channel_id,
        leads.source_deal_id,
        tombstones.converted_deal_id,
        leads.was_seen,
        leads.expected_close_date,
        leads.next_activity_id,
        leads.visible_to,
        leads.cc_email,
        leads.add_time,
        leads.update_time,
        tombstones.id is not null as is_deleted,
        tombstones.deleted_time
    from staging.leads as leads
    cross join label_names
    left join staging.users as owners on owners.id = leads.owner_id
    left join staging.users as creators on creators.id = leads.creator_id
    left join staging.persons as persons on persons.id = leads.person_id
    left join staging.organizations as organizations on organizations.id = leads.organization_id
    left join tombstones on tombstones.id = leads.id
)

select
    named.*,
    custom.* exclude (id)
from named
left join staging.leads_custom_columns as custom on custom.id = named.id
