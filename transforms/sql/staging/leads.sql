-- One row per lead, open or archived, with its standard columns typed.
--
-- `rejected` lists what did not fit its column.
--
-- materialized: incremental

with source as (
    select
        id,
        payload,
        is_archived,
        from_json(payload, '{
            "title": "VARCHAR",
            "owner_id": "VARCHAR",
            "creator_id": "VARCHAR",
            "person_id": "VARCHAR",
            "organization_id": "VARCHAR",
            "label_ids": "VARCHAR",
            "value": {"amount": "VARCHAR", "currency": "VARCHAR"},
            "source_name": "VARCHAR",
            "origin": "VARCHAR",
            "origin_id": "VARCHAR",
            "channel": "VARCHAR",
            "channel_id": "VARCHAR",
            "source_deal_id": "VARCHAR",
            "was_seen": "VARCHAR",
            "expected_close_date": "VARCHAR",
            "next_activity_id": "VARCHAR",
            "visible_to": "VARCHAR",
            "cc_email": "VARCHAR",
            "archive_time": "VARCHAR",
            "add_time": "VARCHAR",
            "update_time": "VARCHAR"
        }') as record
    from staging.lead_records
    where _dlt_load_id > $since
),

texts as (
    select
        source.*,
        {
            'owner_id': reference_text(record.owner_id),
            'creator_id': reference_text(record.creator_id),
            'person_id': reference_text(record.person_id),
            'organization_id': reference_text(record.organization_id),
            'value': case
                when record.value is null then null
                when record.value.amount is null and record.value.currency is null
                then lone_text(payload, '/value')
                else record.value.amount
            end
        } as text
    from source
),

typed as (
    select
        -- ids
        id,
        as_id(text.owner_id) as owner_id,
        as_id(text.creator_id) as creator_id,
        as_id(text.person_id) as person_id,
        as_id(text.organization_id) as organization_id,
        as_texts(record.label_ids) as label_ids,
        as_text(record.origin_id, payload, ['/origin_id']) as origin_id,
        as_text(record.channel_id, payload, ['/channel_id']) as channel_id,
        as_id(record.source_deal_id) as source_deal_id,
        as_id(record.next_activity_id) as next_activity_id,

        -- attributes
        as_text(record.title, payload, ['/title']) as title,
        is_archived,
        as_money(text.value) as value,
        as_text(record.value.currency, payload, ['/value/currency']) as currency,
        as_text(record.source_name, payload, ['/source_name']) as source_name,
        as_text(record.origin, payload, ['/origin']) as origin,
        as_id(record.channel) as channel,
        as_boolean(record.was_seen) as was_seen,
        as_date(record.expected_close_date) as expected_close_date,
        as_integer(record.visible_to) as visible_to,
        as_text(record.cc_email, payload, ['/cc_email']) as cc_email,

        -- times
        as_timestamp(record.archive_time) as archive_time,
        as_timestamp(record.add_time) as add_time,
        as_timestamp(record.update_time) as update_time,

        record,
        text
    from texts
)

select
    typed.* exclude (record, text),
    rejections([
        rejection('owner_id', text.owner_id, owner_id, 'not a BIGINT'),
        rejection('creator_id', text.creator_id, creator_id, 'not a BIGINT'),
        rejection('person_id', text.person_id, person_id, 'not a BIGINT'),
        rejection('organization_id', text.organization_id, organization_id, 'not a BIGINT'),
        rejection('label_ids', record.label_ids, label_ids, 'not a list of VARCHAR'),
        rejection('origin_id', record.origin_id, origin_id, 'not a VARCHAR'),
        rejection('channel_id', record.channel_id, channel_id, 'not a VARCHAR'),
        rejection('source_deal_id', record.source_deal_id, source_deal_id, 'not a BIGINT'),
        rejection('next_activity_id', record.next_activity_id, next_activity_id, 'not a BIGINT'),
        rejection('title', record.title, title, 'not a VARCHAR'),
        rejection('value', text.value, value, 'not a DECIMAL(18,4)'),
        rounding('value', text.value, value),
        rejection('currency', record.value.currency, currency, 'not a VARCHAR'),
        rejection('source_name', record.source_name, source_name, 'not a VARCHAR'),
        rejection('origin', record.origin, origin, 'not a VARCHAR'),
        rejection('channel', record.channel, channel, 'not a BIGINT'),
        rejection('was_seen', record.was_seen, was_seen, 'not a BOOLEAN'),
        rejection('expected_close_date', record.expected_close_date, expected_close_date, 'not a DATE'),
        rejection('visible_to', record.visible_to, visible_to, 'not an INTEGER'),
        rejection('cc_email', record.cc_email, cc_email, 'not a VARCHAR'),
        rejection('archive_time', record.archive_time, archive_time, 'not a TIMESTAMPTZ'),
        rejection('add_time', record.add_time, add_time, 'not a TIMESTAMPTZ'),
        rejection('update_time', record.update_time, update_time, 'not a TIMESTAMPTZ')
    ]) as rejected
from typed
