-- The tables dlt writes, made empty where an entity was never loaded, so that every model builds.
-- One row per record: key columns, and the record exactly as received in `payload`.
create schema if not exists raw;

create table if not exists raw.leads (
    id varchar,
    update_time timestamptz,
    payload json using compression zstd,
    api varchar,
    read_time timestamptz,
    _dlt_load_id varchar
);

create table if not exists raw.archived_leads (
    id varchar,
    update_time timestamptz,
    payload json using compression zstd,
    api varchar,
    read_time timestamptz,
    _dlt_load_id varchar
);

create table if not exists raw.persons (
    id bigint,
    update_time timestamptz,
    payload json using compression zstd,
    api varchar,
    read_time timestamptz,
    _dlt_load_id varchar
);

create table if not exists raw.organizations (
    id bigint,
    update_time timestamptz,
    payload json using compression zstd,
    api varchar,
    read_time timestamptz,
    _dlt_load_id varchar
);

create table if not exists raw.lead_labels (
    id varchar,
    update_time timestamptz,
    payload json using compression zstd,
    api varchar,
    read_time timestamptz,
    position bigint,
    _dlt_load_id varchar
);

create table if not exists raw.lead_sources (
    id varchar,
    update_time timestamptz,
    payload json using compression zstd,
    api varchar,
    read_time timestamptz,
    position bigint,
    _dlt_load_id varchar
);

create table if not exists raw.users (
    id bigint,
    update_time timestamptz,
    payload json using compression zstd,
    api varchar,
    read_time timestamptz,
    position bigint,
    _dlt_load_id varchar
);

create table if not exists raw.currencies (
    id bigint,
    update_time timestamptz,
    payload json using compression zstd,
    api varchar,
    read_time timestamptz,
    position bigint,
    _dlt_load_id varchar
);

create table if not exists raw.deal_fields (
    id varchar,
    update_time timestamptz,
    payload json using compression zstd,
    api varchar,
    read_time timestamptz,
    position bigint,
    _dlt_load_id varchar
);

create table if not exists raw.lead_fields (
    id varchar,
    update_time timestamptz,
    payload json using compression zstd,
    api varchar,
    read_time timestamptz,
    position bigint,
    _dlt_load_id varchar
);

create table if not exists raw.person_fields (
    id varchar,
    update_time timestamptz,
    payload json using compression zstd,
    api varchar,
    read_time timestamptz,
    position bigint,
    _dlt_load_id varchar
);

create table if not exists raw.organization_fields (
    id varchar,
    update_time timestamptz,
    payload json using compression zstd,
    api varchar,
    read_time timestamptz,
    position bigint,
    _dlt_load_id varchar
);
