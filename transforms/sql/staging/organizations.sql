-- One row per organization, with its standard columns typed, from v1, collection and v2 records alike.
--
-- `rejected` lists what did not fit its column.
--
-- materialized: incremental

with source as (
    select
        id,
        payload,
        from_json(payload, '{
            "name": "VARCHAR",
            "owner_id": "VARCHAR",
            "address": "VARCHAR",
            "address_street_number": "VARCHAR",
            "address_route": "VARCHAR",
            "address_sublocality": "VARCHAR",
            "address_locality": "VARCHAR",
            "address_admin_area_level_1": "VARCHAR",
            "address_admin_area_level_2": "VARCHAR",
            "address_country": "VARCHAR",
            "address_postal_code": "VARCHAR",
            "address_subpremise": "VARCHAR",
            "address_formatted_address": "VARCHAR",
            "website": "VARCHAR",
            "linkedin": "VARCHAR",
            "industry": "VARCHAR",
            "annual_revenue": "VARCHAR",
            "employee_count": "VARCHAR",
            "country_code": "VARCHAR",
            "address_country_code": "VARCHAR",
            "label": "VARCHAR",
            "label_ids": "VARCHAR",
            "visible_to": "VARCHAR",
            "picture_id": "VARCHAR",
            "cc_email": "VARCHAR",
            "smart_bcc_email": "VARCHAR",
            "active_flag": "VARCHAR",
            "is_deleted": "VARCHAR",
            "merge_what_id": "VARCHAR",
            "add_time": "VARCHAR",
            "update_time": "VARCHAR",
            "delete_time": "VARCHAR"
        }') as record
    from raw.organizations
    where _dlt_load_id > $since
),

-- v2 sends the address as an object, v1 as text with its parts beside
parts as (
    select
        source.*,
        case
            when starts_with(record.address, '{') and json_type(payload, '/address') = 'OBJECT'
            then from_json(record.address, '{
                "street_number": "VARCHAR",
                "route": "VARCHAR",
                "sublocality": "VARCHAR",
                "locality": "VARCHAR",
                "admin_area_level_1": "VARCHAR",
                "admin_area_level_2": "VARCHAR",
                "country": "VARCHAR",
                "postal_code": "VARCHAR",
                "subpremise": "VARCHAR",
                "formatted_address": "VARCHAR"
            }')
        end as part
    from source
),

texts as (
    select
        parts.*,
        {
            'owner_id': reference_text(record.owner_id),
            'picture_id': reference_text(record.picture_id),
            'label_ids': coalesce(record.label_ids, record.label),
            'address': address_text(record.address, payload, '/address'),
            'address_street_number': coalesce(part.street_number, record.address_street_number),
            'address_route': coalesce(part.route, record.address_route),
            'address_sublocality': coalesce(part.sublocality, record.address_sublocality),
            'address_locality': coalesce(part.locality, record.address_locality),
            'address_admin_area_level_1':
                coalesce(part.admin_area_level_1, record.address_admin_area_level_1),
            'address_admin_area_level_2':
                coalesce(part.admin_area_level_2, record.address_admin_area_level_2),
            'address_country': coalesce(part.country, record.address_country),
            'address_postal_code': coalesce(part.postal_code, record.address_postal_code),
            'address_subpremise': coalesce(part.subpremise, record.address_subpremise),
            'address_formatted_address':
                coalesce(part.formatted_address, record.address_formatted_address),
            'country_code': coalesce(record.country_code, record.address_country_code),
            'cc_email': coalesce(record.cc_email, record.smart_bcc_email),
            'is_deleted': coalesce(record.is_deleted, negated_text(record.active_flag))
        } as text
    from parts
),

typed as (
    select
        -- ids
        id,
        as_id(text.owner_id) as owner_id,
        as_ids(text.label_ids) as label_ids,
        as_id(text.picture_id) as picture_id,
        as_id(record.merge_what_id) as merged_into_id,

        -- attributes
        as_text(record.name, payload, ['/name']) as name,
        as_text(text.address, payload, ['/address/value', '/address']) as address,
        as_text(text.address_street_number, payload, ['/address/street_number', '/address_street_number'])
            as address_street_number,
        as_text(text.address_route, payload, ['/address/route', '/address_route']) as address_route,
        as_text(text.address_sublocality, payload, ['/address/sublocality', '/address_sublocality'])
            as address_sublocality,
        as_text(text.address_locality, payload, ['/address/locality', '/address_locality'])
            as address_locality,
        as_text(
            text.address_admin_area_level_1,
            payload,
            ['/address/admin_area_level_1', '/address_admin_area_level_1']
        ) as address_admin_area_level_1,
        as_text(
            text.address_admin_area_level_2,
            payload,
            ['/address/admin_area_level_2', '/address_admin_area_level_2']
        ) as address_admin_area_level_2,
        as_text(text.address_country, payload, ['/address/country', '/address_country'])
            as address_country,
        as_text(text.address_postal_code, payload, ['/address/postal_code', '/address_postal_code'])
            as address_postal_code,
        as_text(text.address_subpremise, payload, ['/address/subpremise', '/address_subpremise'])
            as address_subpremise,
        as_text(
            text.address_formatted_address,
            payload,
            ['/address/formatted_address', '/address_formatted_address']
        ) as address_formatted_address,
        as_text(record.website, payload, ['/website']) as website,
        as_text(record.linkedin, payload, ['/linkedin']) as linkedin,
        as_id(record.industry) as industry,
        as_money(record.annual_revenue) as annual_revenue,
        as_id(record.employee_count) as employee_count,
        as_text(text.country_code, payload, ['/country_code', '/address_country_code']) as country_code,
        as_integer(record.visible_to) as visible_to,
        as_text(text.cc_email, payload, ['/cc_email', '/smart_bcc_email']) as cc_email,
        as_boolean(text.is_deleted) as is_deleted,

        -- times
        as_timestamp(record.add_time) as add_time,
        as_timestamp(record.update_time) as update_time,
        as_timestamp(record.delete_time) as delete_time,

        record,
        text
    from texts
)

select
    typed.* exclude (record, text),
    rejections([
        rejection('owner_id', text.owner_id, owner_id, 'not a BIGINT'),
        rejection('label_ids', text.label_ids, label_ids, 'not a list of BIGINT'),
        rejection('picture_id', text.picture_id, picture_id, 'not a BIGINT'),
        rejection('merged_into_id', record.merge_what_id, merged_into_id, 'not a BIGINT'),
        rejection('name', record.name, name, 'not a VARCHAR'),
        rejection('address', text.address, address, 'not a VARCHAR'),
        rejection(
            'address_street_number', text.address_street_number, address_street_number, 'not a VARCHAR'
        ),
        rejection('address_route', text.address_route, address_route, 'not a VARCHAR'),
        rejection('address_sublocality', text.address_sublocality, address_sublocality, 'not a VARCHAR'),
        rejection('address_locality', text.address_locality, address_locality, 'not a VARCHAR'),
        rejection(
            'address_admin_area_level_1',
            text.address_admin_area_level_1,
            address_admin_area_level_1,
            'not a VARCHAR'
        ),
        rejection(
            'address_admin_area_level_2',
            text.address_admin_area_level_2,
            address_admin_area_level_2,
            'not a VARCHAR'
        ),
        rejection('address_country', text.address_country, address_country, 'not a VARCHAR'),
        rejection('address_postal_code', text.address_postal_code, address_postal_code, 'not a VARCHAR'),
        rejection('address_subpremise', text.address_subpremise, address_subpremise, 'not a VARCHAR'),
        rejection(
            'address_formatted_address',
            text.address_formatted_address,
            address_formatted_address,
            'not a VARCHAR'
        ),
        rejection('website', record.website, website, 'not a VARCHAR'),
        rejection('linkedin', record.linkedin, linkedin, 'not a VARCHAR'),
        rejection('industry', record.industry, industry, 'not a BIGINT'),
        rejection('annual_revenue', record.annual_revenue, annual_revenue, 'not a DECIMAL(18,4)'),
        rounding('annual_revenue', record.annual_revenue, annual_revenue),
        rejection('employee_count', record.employee_count, employee_count, 'not a BIGINT'),
        rejection('country_code', text.country_code, country_code, 'not a VARCHAR'),
        rejection('visible_to', record.visible_to, visible_to, 'not an INTEGER'),
        rejection('cc_email', text.cc_email, cc_email, 'not a VARCHAR'),
        rejection('is_deleted', text.is_deleted, is_deleted, 'not a BOOLEAN'),
        rejection('add_time', record.add_time, add_time, 'not a TIMESTAMPTZ'),
        rejection('update_time', record.update_time, update_time, 'not a TIMESTAMPTZ'),
        rejection('delete_time', record.delete_time, delete_time, 'not a TIMESTAMPTZ')
    ]) as rejected
from typed
