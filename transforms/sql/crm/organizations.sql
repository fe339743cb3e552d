-- One row per organization, gone or not.
--
-- materialized: view
-- columns:
--   id: Pipedrive's id
--   name: Name
--   owner_id: The user who owns it
--   owner_name: Name of the owner
--   address: Full address
--   address_street_number: House number
--   address_route: Street
--   address_sublocality: District
--   address_locality: City
--   address_admin_area_level_1: State or region
--   address_admin_area_level_2: County
--   address_country: Country
--   address_postal_code: Postal code
--   address_subpremise: Apartment or suite
--   address_formatted_address: Address as formatted by the map service
--   website: Website
--   linkedin: LinkedIn profile
--   industry: Industry, an option id
--   annual_revenue: Annual revenue
--   employee_count: Number of employees
--   country_code: Country code
--   label_ids: Ids of the labels, in the record's order
--   labels: Names of the labels, in the record's order
--   visible_to: Visibility group: 1, 3, 5 or 7
--   picture_id: The picture
--   cc_email: Address that files e-mails with the organization
--   add_time: When it was created
--   update_time: When it last changed
--   is_deleted: Whether it is gone from Pipedrive
--   deleted_time: When it was deleted, or found to be gone
--   merged_into_id: The organization it was merged into

with label_names as (
    select map(list(option_id), list(label)) as names
    from ops.custom_field_options
    where entity = 'organizations' and key = 'label_ids'
),

tombstones as (
    select id::bigint as id, deleted_time, merged_into_id
    from ops.tombstones
    where entity = 'organizations'
),

-- narrow until the end: the wide custom columns pass through one join only
named as (
    select
        organizations.id,
        organizations.name,
        organizations.owner_id,
        owners.name as owner_name,
        organizations.address,
        organizations.address_street_number,
        organizations.address_route,
        organizations.address_sublocality,
        organizations.address_locality,
        organizations.address_admin_area_level_1,
        organizations.address_admin_area_level_2,
        organizations.address_country,
        organizations.address_postal_code,
        organizations.address_subpremise,
        organizations.address_formatted_address,
        organizations.website,
        organizations.linkedin,
        organizations.industry,
        organizations.annual_revenue,
        organizations.employee_count,
        organizations.country_code,
        organizations.label_ids,
        list_transform(
            organizations.label_ids,
            lambda id: coalesce(label_names.names[id::varchar], 'unknown option ' || id)
        ) as labels,
        organizations.visible_to,
        organizations.picture_id,
        organizations.cc_email,
        organizations.add_time,
        organizations.update_time,
        tombstones.id is not null or coalesce(organizations.is_deleted, false) as is_deleted,
        coalesce(
            tombstones.deleted_time,
            organizations.delete_time,
            case when organizations.is_deleted then organizations.update_time end
        ) as deleted_time,
        coalesce(tombstones.merged_into_id, organizations.merged_into_id) as merged_into_id
    from staging.organizations as organizations
    cross join label_names
    left join staging.users as owners on owners.id = organizations.owner_id
    left join tombstones on tombstones.id = organizations.id
)

select
    named.*,
    custom.* exclude (id)
from named
left join staging.organizations_custom_columns as custom on custom.id = named.id
