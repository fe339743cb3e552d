-- One row per person, gone or not.
--
-- materialized: view
-- columns:
--   id: Pipedrive's id
--   name: Full name
--   first_name: First name; not sent by the collection endpoint
--   last_name: Last name; not sent by the collection endpoint
--   owner_id: The user who owns it
--   owner_name: Name of the owner
--   organization_id: The organization the person belongs to
--   organization_name: Name of the organization
--   primary_email: The e-mail flagged as primary, else the first
--   primary_phone: The phone flagged as primary, else the first
--   emails: All e-mails
--   phones: All phones
--   label_ids: Ids of the labels, in the record's order
--   labels: Names of the labels, in the record's order
--   visible_to: Visibility group: 1, 3, 5 or 7
--   picture_id: The picture
--   job_title: Job title (Contact Sync)
--   birthday: Birthday (Contact Sync)
--   notes: Notes (Contact Sync)
--   im: Instant messengers (Contact Sync)
--   postal_address: Postal address (Contact Sync)
--   cc_email: Address that files e-mails with the person
--   add_time: When it was created
--   update_time: When it last changed
--   is_deleted: Whether it is gone from Pipedrive
--   deleted_time: When it was deleted, or found to be gone
--   merged_into_id: The person it was merged into

with label_names as (
    select map(list(option_id), list(label)) as names
    from ops.custom_field_options
    where entity = 'persons' and key = 'label_ids'
),

tombstones as (
    select id::bigint as id, deleted_time, merged_into_id
    from ops.tombstones
    where entity = 'persons'
),

-- narrow until the end: the wide custom columns pass through one join only
named as (
    select
        persons.id,
        persons.name,
        persons.first_name,
        persons.last_name,
        persons.owner_id,
        owners.name as owner_name,
        persons.organization_id,
        organizations.name as organization_name,
        persons.primary_email,
        persons.primary_phone,
        persons.emails,
        persons.phones,
        persons.label_ids,
        list_transform(
            persons.label_ids,
            lambda id: coalesce(label_names.names[id::varchar], 'unknown option ' || id)
        ) as labels,
        persons.visible_to,
        persons.picture_id,
        persons.job_title,
        persons.birthday,
        persons.notes,
        persons.im,
        persons.postal_address,
        persons.cc_email,
        persons.add_time,
        persons.update_time,
        tombstones.id is not null or coalesce(persons.is_deleted, false) as is_deleted,
        coalesce(
            tombstones.deleted_time,
            persons.delete_time,
            case when persons.is_deleted then persons.update_time end
        ) as deleted_time,
        coalesce(tombstones.merged_into_id, persons.merged_into_id) as merged_into_id
    from staging.persons as persons
    cross join label_names
    left join staging.users as owners on owners.id = persons.owner_id
    left join staging.organizations as organizations on organizations.id = persons.organization_id
    left join tombstones on tombstones.id = persons.id
)

select
    named.*,
    custom.* exclude (id)
from named
left join staging.persons_custom_columns as custom on custom.id = named.id
