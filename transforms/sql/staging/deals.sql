-- One row per deal, archived or not, with its standard columns typed, from v1 and v2 records alike.
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
            "status": "VARCHAR",
            "owner_id": "VARCHAR",
            "user_id": "VARCHAR",
            "creator_user_id": "VARCHAR",
            "person_id": "VARCHAR",
            "org_id": "VARCHAR",
            "pipeline_id": "VARCHAR",
            "stage_id": "VARCHAR",
            "value": "VARCHAR",
            "currency": "VARCHAR",
            "probability": "VARCHAR",
            "lost_reason": "VARCHAR",
            "expected_close_date": "VARCHAR",
            "label": "VARCHAR",
            "label_ids": "VARCHAR",
            "origin": "VARCHAR",
            "origin_id": "VARCHAR",
            "channel": "VARCHAR",
            "channel_id": "VARCHAR",
            "source_lead_id": "VARCHAR",
            "arr": "VARCHAR",
            "mrr": "VARCHAR",
            "acv": "VARCHAR",
            "visible_to": "VARCHAR",
            "is_deleted": "VARCHAR",
            "deleted": "VARCHAR",
            "merge_what_id": "VARCHAR",
            "archive_time": "VARCHAR",
            "add_time": "VARCHAR",
            "update_time": "VARCHAR",
            "stage_change_time": "VARCHAR",
            "close_time": "VARCHAR",
            "won_time": "VARCHAR",
            "lost_time": "VARCHAR"
        }') as record
    from staging.deal_records
    where _dlt_load_id > $since
),

-- one shape: v2's names and ids, or those of v1
texts as (
    select
        source.*,
        {
            'owner_id': reference_text(coalesce(record.owner_id, record.user_id)),
            'creator_id': reference_text(record.creator_user_id),
            'person_id': reference_text(record.person_id),
            'organization_id': reference_text(record.org_id),
            'lost_reason': case
                when starts_with(record.lost_reason, '{')
                then coalesce(payload ->> '/lost_reason/label', record.lost_reason)
                else record.lost_reason
            end,
            'label_ids': coalesce(record.label_ids, record.label),
            'is_deleted': coalesce(record.is_deleted, record.deleted)
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
        as_id(record.pipeline_id) as pipeline_id,
        as_id(record.stage_id) as stage_id,
        as_ids(text.label_ids) as label_ids,
        as_text(record.origin_id, payload, ['/origin_id']) as origin_id,
        as_text(record.channel_id, payload, ['/channel_id']) as channel_id,
        as_text(record.source_lead_id, payload, ['/source_lead_id']) as source_lead_id,
        as_id(record.merge_what_id) as merged_into_id,

        -- attributes
        as_text(record.title, payload, ['/title']) as title,
        as_text(record.status, payload, ['/status']) as status,
        is_archived,
        as_money(record.value) as value,
        as_text(record.currency, payload, ['/currency']) as currency,
        as_number(record.probability) as probability,
        text.lost_reason as lost_reason,
        as_date(record.expected_close_date) as expected_close_date,
        as_text(record.origin, payload, ['/origin']) as origin,
        as_id(record.channel) as channel,
        as_money(record.arr) as arr,
        as_money(record.mrr) as mrr,
        as_money(record.acv) as acv,
        as_integer(record.visible_to) as visible_to,
        as_boolean(text.is_deleted) as is_deleted,

        -- times
        as_timestamp(record.archive_time) as archive_time,
        as_timestamp(record.add_time) as add_time,
        as_timestamp(record.update_time) as update_time,
        as_timestamp(record.stage_change_time) as stage_change_time,
        as_timestamp(record.close_time) as close_time,
        as_timestamp(record.won_time) as won_time,
        as_timestamp(record.lost_time) as lost_time,

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
        rejection('pipeline_id', record.pipeline_id, pipeline_id, 'not a BIGINT'),
        rejection('stage_id', record.stage_id, stage_id, 'not a BIGINT'),
        rejection('label_ids', text.label_ids, label_ids, 'not a list of BIGINT'),
        rejection('origin_id', record.origin_id, origin_id, 'not a VARCHAR'),
        rejection('channel_id', record.channel_id, channel_id, 'not a VARCHAR'),
        rejection('source_lead_id', record.source_lead_id, source_lead_id, 'not a VARCHAR'),
        rejection('merged_into_id', record.merge_what_id, merged_into_id, 'not a BIGINT'),
        rejection('title', record.title, title, 'not a VARCHAR'),
        rejection('status', record.status, status, 'not a VARCHAR'),
        rejection('value', record.value, value, 'not a DECIMAL(18,4)'),
        rounding('value', record.value, value),
        rejection('currency', record.currency, currency, 'not a VARCHAR'),
        rejection('probability', record.probability, probability, 'not a DOUBLE'),
        rejection('expected_close_date', record.expected_close_date, expected_close_date, 'not a DATE'),
        rejection('origin', record.origin, origin, 'not a VARCHAR'),
        rejection('channel', record.channel, channel, 'not a BIGINT'),
        rejection('arr', record.arr, arr, 'not a DECIMAL(18,4)'),
        rounding('arr', record.arr, arr),
        rejection('mrr', record.mrr, mrr, 'not a DECIMAL(18,4)'),
        rounding('mrr', record.mrr, mrr),
        rejection('acv', record.acv, acv, 'not a DECIMAL(18,4)'),
        rounding('acv', record.acv, acv),
        rejection('visible_to', record.visible_to, visible_to, 'not an INTEGER'),
        rejection('is_deleted', text.is_deleted, is_deleted, 'not a BOOLEAN'),
        rejection('archive_time', record.archive_time, archive_time, 'not a TIMESTAMPTZ'),
        rejection('add_time', record.add_time, add_time, 'not a TIMESTAMPTZ'),
        rejection('update_time', record.update_time, update_time, 'not a TIMESTAMPTZ'),
        rejection('stage_change_time', record.stage_change_time, stage_change_time, 'not a TIMESTAMPTZ'),
        rejection('close_time', record.close_time, close_time, 'not a TIMESTAMPTZ'),
        rejection('won_time', record.won_time, won_time, 'not a TIMESTAMPTZ'),
        rejection('lost_time', record.lost_time, lost_time, 'not a TIMESTAMPTZ')
    ]) as rejected
from typed
