-- The rows of ops.versions that the newest records of an entity make: new ones, and newer copies of
-- versions that are there.
--
-- `record_copies` is a view of the newest copy of each record. A copy is a new version where the
-- record, its place in the archive or its tombstone differs from the newest version; a change of
-- `update_time` alone is none, and renews the copy of that version. Looked at are the copies of
-- loads after $since and the records whose tombstone is another.
with tombstones as (
    select id, reason, deleted_time, merged_into_id, converted_deal_id, converted_lead_id
    from ops.tombstones
    where entity = $entity
),

last as (
    select versions.* exclude (payload)
    from ops.versions as versions
    semi join (
        select max(version) as version from ops.versions where entity = $entity group by id
    ) as newest on newest.version = versions.version
),

regraded as (
    select coalesce(tombstones.id, last.id) as id
    from tombstones
    full join last on last.id = tombstones.id
    where tombstones.reason is distinct from last.reason
        or tombstones.merged_into_id is distinct from last.merged_into_id
        or tombstones.converted_deal_id is distinct from last.converted_deal_id
        or tombstones.converted_lead_id is distinct from last.converted_lead_id
),

copies as (
    select *
    from record_copies
    where _dlt_load_id > $since
    union all
    select *
    from record_copies
    where _dlt_load_id <= $since and id in (select id from regraded)
),

described as (
    select
        copies.* exclude (_dlt_load_id),
        tombstones.* exclude (id),
        coalesce(
            md5(regexp_replace(payload, '"update_time"\s*:\s*("[^"]*"|null)', '', 'g')), ''
        ) as content,
        as_timestamp(payload ->> '/add_time') as add_time,
        greatest(
            as_timestamp(payload ->> '/update_time'),
            case when is_archived then as_timestamp(payload ->> '/archive_time') end,
            deleted_time
        ) as changed_time
    from copies
    left join tombstones on tombstones.id = copies.id
),

compared as (
    select
        described.*,
        last.version as last_version,
        last.valid_from as last_valid_from,
        last.changed_time as last_changed_time,
        last.read_time as last_read_time,
        last.version is null
            or described.content <> last.content
            or described.is_archived is distinct from last.is_archived
            or regraded.id is not null as is_new
    from described
    left join last on last.id = described.id
    left join regraded on regraded.id = described.id
)

select
    $entity as entity,
    case
        when is_new
        then row_number() over () + (select coalesce(max(version), 0) from ops.versions)
        else last_version
    end as version,
    -- a time of the record speaks of this change when it is later than those known before; and no
    -- version is from the future, or none could follow it
    case
        when not is_new then last_valid_from
        when last_version is null
        then least(coalesce(changed_time, add_time, read_time, $now), $now)
        else greatest(
            last_valid_from,
            case
                when changed_time > last_valid_from
                    and coalesce(changed_time > last_changed_time, true)
                then least(changed_time, $now)
                when read_time > last_read_time and read_time > last_valid_from
                then least(read_time, $now)
                else $now
            end
        )
    end as valid_from,
    * exclude (
        is_new, add_time, last_version, last_valid_from, last_changed_time, last_read_time
    ),
    $load_id as _dlt_load_id
from compared
where is_new or read_time is distinct from last_read_time
