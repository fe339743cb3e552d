-- The ledger. Created on first use. A column that comes later is an `alter table … add column if not
-- exists` at the end, so that files of earlier versions go on working; none is renamed.
create schema if not exists ops;

-- One row per command that read or wrote the warehouse.
create table if not exists ops.runs (
    run_id varchar not null,
    command varchar not null,              -- run, transform
    started_time timestamptz not null,
    ended_time timestamptz,                -- null: still running, or killed
    outcome varchar,                       -- ok, partial, failed
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

-- One row per run and thing done: an entity read, the load, the transform, the publish.
create table if not exists ops.steps (
    run_id varchar not null,
    step varchar not null,                 -- read, load, transform, publish
    entity varchar,                        -- for read: the raw table
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
    watermark timestamptz,
    error varchar,
);

-- What is known to be gone: one row per record, removed when it comes back.
create table if not exists ops.tombstones (
    entity varchar not null,               -- leads, persons, organizations
    id varchar not null,
    reason varchar not null,               -- deleted, merged, converted, absent
    deleted_time timestamptz not null,
    merged_into_id bigint,
    converted_deal_id bigint,
    run_id varchar,
);

-- The registry: gives each custom field its column once and for ever.
create table if not exists ops.custom_columns (
    entity varchar not null,               -- leads, persons, organizations
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
