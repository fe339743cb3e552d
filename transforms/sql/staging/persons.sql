-- One row per person, with its standard columns typed, from v1, collection and v2 records alike.
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
            "first_name": "VARCHAR",
            "last_name": "VARCHAR",
            "owner_id": "VARCHAR",
            "org_id": "VARCHAR",
            "email": "VARCHAR",
            "emails": "VARCHAR",
            "phone": "VARCHAR",
            "phones": "VARCHAR",
            "im": "VARCHAR",
            "ims": "VARCHAR",
            "label": "VARCHAR",
            "label_ids": "VARCHAR",
            "visible_to": "VARCHAR",
            "picture_id": "VARCHAR",
            "job_title": "VARCHAR",
            "birthday": "VARCHAR",
            "notes": "VARCHAR",
            "postal_address": "VARCHAR",
            "cc_email": "VARCHAR",
            "smart_bcc_email": "VARCHAR",
            "active_flag": "VARCHAR",
            "is_deleted": "VARCHAR",
            "merge_what_id": "VARCHAR",
            "add_time": "VARCHAR",
            "update_time": "VARCHAR",
            "delete_time": "VARCHAR"
        }') as record
    from raw.persons
    where _dlt_load_id > $since
),

-- one shape: v2's names and lists, or those of v1
texts as (
    select
        source.*,
        {
            'owner_id': reference_text(record.owner_id),
            'organization_id': reference_text(record.org_id),
            'picture_id': reference_text(record.picture_id),
            'emails': coalesce(record.emails, record.email, '[]'),
            'phones': coalesce(record.phones, record.phone, '[]'),
            'im': coalesce(record.im, record.ims),
            'label_ids': coalesce(record.label_ids, record.label),
            'postal_address': address_text(record.postal_address, payload, '/postal_address'),
            'cc_email': coalesce(record.cc_email, record.smart_bcc_email),
            'is_deleted': coalesce(record.is_deleted, negated_text(record.active_flag))
        } as text
    from source
),

typed as (
    select
        -- ids
        id,
        as_id(text.owner_id) as owner_id,
        as_id(text.organization_id) as organization_id,
        as_ids(text.label_ids) as label_ids,
        as_id(text.picture_id) as picture_id,
        as_id(record.merge_what_id) as merged_into_id,

        -- attributes
        as_text(record.name, payload, ['/name']) as name,
        as_text(record.first_name, payload, ['/first_name']) as first_name,
        as_text(record.last_name, payload, ['/last_name']) as last_name,
        as_contacts(text.emails) as emails,
        as_contacts(text.phones) as phones,
        as_contacts(text.im) as im,
        as_text(record.job_title, payload, ['/job_title']) as job_title,
        as_date(record.birthday) as birthday,
        as_text(record.notes, payload, ['/notes']) as notes,
        as_text(text.postal_address, payload, ['/postal_address/value', '/postal_address'])
            as postal_address,
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
    primary_contact(emails) as primary_email,
    primary_contact(phones) as primary_phone,
    rejections([
        rejection('owner_id', text.owner_id, owner_id, 'not a BIGINT'),
        rejection('organization_id', text.organization_id, organization_id, 'not a BIGINT'),
        rejection('label_ids', text.label_ids, label_ids, 'not a list of BIGINT'),
        rejection('picture_id', text.picture_id, picture_id, 'not a BIGINT'),
        rejection('merged_into_id', record.merge_what_id, merged_into_id, 'not a BIGINT'),
        rejection('name', record.name, name, 'not a VARCHAR'),
        rejection('first_name', record.first_name, first_name, 'not a VARCHAR'),
        rejection('last_name', record.last_name, last_name, 'not a VARCHAR'),
        rejection('emails', text.emails, emails, 'not a list of e-mails'),
        rejection('phones', text.phones, phones, 'not a list of phones'),
        rejection('im', text.im, im, 'not a list of messengers'),
        rejection('job_title', record.job_title, job_title, 'not a VARCHAR'),
        rejection('birthday', record.birthday, birthday, 'not a DATE'),
        rejection('notes', record.notes, notes, 'not a VARCHAR'),
        rejection('postal_address', text.postal_address, postal_address, 'not a VARCHAR'),
        rejection('visible_to', record.visible_to, visible_to, 'not an INTEGER'),
        rejection('cc_email', text.cc_email, cc_email, 'not a VARCHAR'),
        rejection('is_deleted', text.is_deleted, is_deleted, 'not a BOOLEAN'),
        rejection('add_time', record.add_time, add_time, 'not a TIMESTAMPTZ'),
        rejection('update_time', record.update_time, update_time, 'not a TIMESTAMPTZ'),
        rejection('delete_time', record.delete_time, delete_time, 'not a TIMESTAMPTZ')
    ]) as rejected
from typed
