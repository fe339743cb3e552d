-- The ledger. Created on first use. A column that comes later is an `alter table … add column if not
-- exists` at the end, so that files of earlier versions go on working; none is renamed.
create schema if not exists ops;

-- One row per command that read or wrote the warehouse.
create table if not exists ops.runs (
    run_id varchar not null,
    command varchar not null,              -- run, reconcile, transform
    started_time timestamptz not null,
    ended_time timestamptz,                -- null: still running, or killed
    outcome varchar,                       -- ok, partial, refused, failed
    exit_code integer,
    api varchar,                           -- as configured: auto, v2, collection
    dialect varchar,                       -- as used: v2, collection
    user_id bigint,                        -- the user behind the token (users/me)
    user_name varchar,
    is_admin boolean,
    company_id bigint,
    company_domain varchar,
    requests bigint,
    tokens bigint,
    rows_loaded bigint,                    -- rows that were new or differed
    is_published boolean,
    error varchar,
    version varchar,                       -- pipeduck's
);

-- One row per run and thing done: an entity read, its changes since the last run polled, an entity
-- reconciled, the load, the transform, the publish.
create table if not exists ops.steps (
    run_id varchar not null,
    step varchar not null,                 -- read, load, recents, reconcile, transform, publish
    entity varchar,                        -- for read: the raw table; for reconcile: the public one
    mode varchar,                          -- for read: first, full, incremental, listing
    started_time timestamptz,
    seconds double,
    requests bigint,
    tokens bigint,
    rows bigint,                           -- rows loaded: new or changed
    rows_listed bigint,                    -- rows that came over the wire
    rows_new bigint,
    rows_changed bigint,
    rows_unchanged bigint,
    rows_deleted bigint,                   -- rows marked as gone
    rows_live bigint,                      -- rows not marked as gone, when the step was done
    watermark timestamptz,                 -- where the next one begins; for reconcile: Pipedrive's time
    note varchar,                          -- for reconcile: what differs, and why it was left
    error varchar,
);

-- Requests that failed or had to wait; those that went well are counted in the steps.
create table if not exists ops.requests (
    run_id varchar not null,
    time timestamptz not null,
    entity varchar,                        -- the raw list; null: asked for nothing of a list
    path varchar not null,
    params json,
    attempt integer not null,              -- 1 is the first
    status integer,                        -- of the answer; null: there was none
    kind varchar not null,                 -- what went wrong, or what was waited for
    message varchar,
    wait_seconds double,                   -- waited afterwards
    is_final boolean not null,             -- not tried again
);

-- What is known to be gone: one row per record, removed when it comes back.
create table if not exists ops.tombstones (
    entity varchar not null,               -- leads, persons, organizations, deals
    id varchar not null,
    reason varchar not null,               -- deleted, merged, converted, absent
    deleted_time timestamptz not null,     -- Pipedrive's time where it is known, else marked_time
    merged_into_id bigint,
    converted_deal_id bigint,              -- of a lead
    converted_lead_id varchar,             -- of a deal
    marked_time timestamptz,               -- when we asked: a copy of the record read later voids it
    run_id varchar,
);

-- The registry: gives each custom field its column once and for ever.
create table if not exists ops.custom_columns (
    entity varchar not null,               -- leads, persons, organizations, deals
    key varchar not null,                  -- the 40-character hash
    label varchar not null,                -- newest name in Pipedrive
    field_type varchar not null,           -- newest field_type in Pipedrive
    column_name varchar not null,          -- main column; companions derive from it
    slug varchar not null,                 -- slug of the label the name was given for
    aliases varchar[] not null,            -- earlier main column names, newest last
    subfields varchar[] not null,          -- suffixes the definitions name beyond the known ones
    position bigint,                       -- place in the newest definition list
    is_active boolean not null,            -- false: gone from the definition list
    first_seen timestamptz not null,
    renamed_from varchar,                  -- label before the last rename
);

-- Every option ever seen, so that an id with no option left still has its last known label.
create table if not exists ops.custom_field_options (
    entity varchar not null,
    key varchar not null,                  -- of a custom field, or label_ids
    option_id varchar not null,
    label varchar not null,
    color varchar,
    position bigint,
    is_active boolean not null,
    first_seen timestamptz not null,
);

-- What a typed column could not hold. Rebuilt with the rows it speaks of.
create table if not exists ops.rejected_values (
    entity varchar not null,
    id varchar not null,                   -- of the record
    column_name varchar not null,
    value varchar,                         -- as received
    reason varchar not null,               -- 'not a DOUBLE', 'rounded', ...
);

-- What each built model was built from: decides between nothing, the changed rows, and a rebuild.
create table if not exists ops.models (
    name varchar not null,                 -- staging.persons
    fingerprint varchar not null,          -- of its SQL
    load_id varchar,                       -- newest _dlt_load_id built in
    rows bigint,
    built_time timestamptz not null,
);

-- The values that records had in a custom field when it was deleted in Pipedrive.
create table if not exists ops.retired_values (
    entity varchar not null,
    id varchar not null,                   -- of the record
    key varchar not null,                  -- of the custom field
    value json not null,                   -- typed columns by suffix, 'value' for the main one
);

-- Versions of records, for [history]: a record as it was from valid_from until its next version.
create table if not exists ops.versions (
    entity varchar not null,               -- leads, persons, organizations, deals
    id varchar not null,                   -- of the record
    version bigint not null,               -- counts over all records of all entities
    valid_from timestamptz not null,
    changed_time timestamptz,              -- newest of its times of update, archiving, deletion
    content varchar not null,              -- md5 of the payload without its update_time
    payload json using compression zstd,
    api varchar,
    is_archived boolean,                   -- of a lead or deal
    reason varchar,                        -- of its tombstone, if it had one
    deleted_time timestamptz,
    merged_into_id bigint,
    converted_deal_id bigint,
    converted_lead_id varchar,
    read_time timestamptz,
    _dlt_load_id varchar not null,         -- sorts after those of earlier captures
);

-- What each data check found, per run.
create table if not exists ops.checks (
    run_id varchar not null,
    name varchar not null,
    severity varchar not null,             -- error: nothing is published; warn
    description varchar not null,
    failing_rows bigint not null,
    sample json,                           -- a few of the failing rows
    checked_time timestamptz not null,
);

alter table ops.steps add column if not exists rows_deleted bigint;
alter table ops.steps add column if not exists rows_live bigint;
alter table ops.steps add column if not exists note varchar;
alter table ops.tombstones add column if not exists converted_lead_id varchar;
alter table ops.tombstones add column if not exists marked_time timestamptz;
alter table ops.runs add column if not exists daily_limit bigint;      -- the company's tokens a day
alter table ops.runs add column if not exists daily_remaining bigint;  -- of them, when it ended
