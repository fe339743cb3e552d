-- staging.persons_custom_fields: One row per record of persons, with its custom fields typed.
-- what records had in fields that were deleted since
with retired as (
    select id, json_group_object(key, value) as fields
    from ops.retired_values
    where entity = 'persons'
        and id in (select id::varchar from raw.persons where _dlt_load_id > $since)
    group by id
),

source as (
    select
        records.id,
        payload,
        from_json(payload, '{
            "custom_fields": {
                "0000000000000000000000000000000000000000": "VARCHAR",
                "0101010101010101010101010101010101010101": "VARCHAR",
                "0202020202020202020202020202020202020202": {"value": "VARCHAR", "currency": "VARCHAR"},
                "0303030303030303030303030303030303030303": "VARCHAR",
                "0404040404040404040404040404040404040404": {"value": "VARCHAR", "until": "VARCHAR"},
                "0606060606060606060606060606060606060606": {"value": "VARCHAR", "until": "VARCHAR", "timezone_name": "VARCHAR"},
                "0707070707070707070707070707070707070707": "VARCHAR",
                "0808080808080808080808080808080808080808": "VARCHAR",
                "0909090909090909090909090909090909090909": "VARCHAR",
                "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a": "VARCHAR",
                "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b": "VARCHAR",
                "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c": {"value": "VARCHAR", "street_number": "VARCHAR", "route": "VARCHAR", "sublocality": "VARCHAR", "locality": "VARCHAR", "admin_area_level_1": "VARCHAR", "admin_area_level_2": "VARCHAR", "country": "VARCHAR", "postal_code": "VARCHAR", "subpremise": "VARCHAR", "formatted_address": "VARCHAR"},
                "0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d": "JSON",
                "0505050505050505050505050505050505050505": {"value": "VARCHAR", "timezone_name": "VARCHAR"}
            },
            "0000000000000000000000000000000000000000": "VARCHAR",
            "0101010101010101010101010101010101010101": "VARCHAR",
            "0202020202020202020202020202020202020202": "VARCHAR",
            "0202020202020202020202020202020202020202_currency": "VARCHAR",
            "0303030303030303030303030303030303030303": "VARCHAR",
            "0404040404040404040404040404040404040404": "VARCHAR",
            "0404040404040404040404040404040404040404_until": "VARCHAR",
            "0606060606060606060606060606060606060606": "VARCHAR",
            "0606060606060606060606060606060606060606_until": "VARCHAR",
            "0606060606060606060606060606060606060606_timezone_name": "VARCHAR",
            "0707070707070707070707070707070707070707": "VARCHAR",
            "0808080808080808080808080808080808080808": "VARCHAR",
            "0909090909090909090909090909090909090909": "VARCHAR",
            "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a": "VARCHAR",
            "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b": "VARCHAR",
            "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c": "VARCHAR",
            "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c_street_number": "VARCHAR",
            "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c_route": "VARCHAR",
            "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c_sublocality": "VARCHAR",
            "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c_locality": "VARCHAR",
            "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c_admin_area_level_1": "VARCHAR",
            "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c_admin_area_level_2": "VARCHAR",
            "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c_country": "VARCHAR",
            "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c_postal_code": "VARCHAR",
            "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c_subpremise": "VARCHAR",
            "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c_formatted_address": "VARCHAR",
            "0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d": "JSON",
            "0505050505050505050505050505050505050505": "VARCHAR",
            "0505050505050505050505050505050505050505_timezone_name": "VARCHAR"
        }') as record,
        from_json(retired.fields, '{
            "0505050505050505050505050505050505050505": {"value": "TIME", "_timezone": "VARCHAR"}
        }') as retired
    from raw.persons as records
    left join retired on retired.id = records.id::varchar
    where _dlt_load_id > $since
),

-- one shape: v2 has custom fields nested, v1 has them flat
texts as (
    select
        id,
        payload,
        retired,
        coalesce(record.custom_fields."0000000000000000000000000000000000000000", record."0000000000000000000000000000000000000000") as "cf_a_varchar as sent",
        coalesce(record.custom_fields."0101010101010101010101010101010101010101", record."0101010101010101010101010101010101010101") as "cf_a_double as sent",
        value_text(record.custom_fields."0202020202020202020202020202020202020202", record."0202020202020202020202020202020202020202", payload, '/custom_fields/0202020202020202020202020202020202020202', ['value', 'currency']) as "cf_price as sent",
        coalesce(record.custom_fields."0202020202020202020202020202020202020202"."currency", record."0202020202020202020202020202020202020202_currency") as "cf_price_currency as sent",
        coalesce(record.custom_fields."0303030303030303030303030303030303030303", record."0303030303030303030303030303030303030303") as "cf_a_date as sent",
        value_text(record.custom_fields."0404040404040404040404040404040404040404", record."0404040404040404040404040404040404040404", payload, '/custom_fields/0404040404040404040404040404040404040404', ['value', 'until']) as "cf_a_daterange as sent",
        coalesce(record.custom_fields."0404040404040404040404040404040404040404"."until", record."0404040404040404040404040404040404040404_until") as "cf_a_daterange_until as sent",
        value_text(record.custom_fields."0606060606060606060606060606060606060606", record."0606060606060606060606060606060606060606", payload, '/custom_fields/0606060606060606060606060606060606060606', ['value', 'until', 'timezone_name']) as "cf_a_timerange as sent",
        coalesce(record.custom_fields."0606060606060606060606060606060606060606"."until", record."0606060606060606060606060606060606060606_until") as "cf_a_timerange_until as sent",
        coalesce(record.custom_fields."0606060606060606060606060606060606060606"."timezone_name", record."0606060606060606060606060606060606060606_timezone_name") as "cf_a_timerange_timezone as sent",
        reference_text(coalesce(record.custom_fields."0707070707070707070707070707070707070707", record."0707070707070707070707070707070707070707")) as "cf_a_enum_id as sent",
        nullif(coalesce(record.custom_fields."0808080808080808080808080808080808080808", record."0808080808080808080808080808080808080808"), '[]') as "cf_a_set_ids as sent",
        reference_text(coalesce(record.custom_fields."0909090909090909090909090909090909090909", record."0909090909090909090909090909090909090909")) as "cf_a_user_id as sent",
        reference_text(coalesce(record.custom_fields."0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a", record."0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a")) as "cf_a_people_id as sent",
        reference_text(coalesce(record.custom_fields."0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", record."0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b")) as "cf_a_org_id as sent",
        value_text(record.custom_fields."0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c", record."0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c", payload, '/custom_fields/0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c', ['value', 'street_number', 'route', 'sublocality', 'locality', 'admin_area_level_1', 'admin_area_level_2', 'country', 'postal_code', 'subpremise', 'formatted_address']) as "cf_a_address as sent",
        coalesce(record.custom_fields."0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c"."street_number", record."0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c_street_number") as "cf_a_address_street_number as sent",
        coalesce(record.custom_fields."0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c"."route", record."0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c_route") as "cf_a_address_route as sent",
        coalesce(record.custom_fields."0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c"."sublocality", record."0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c_sublocality") as "cf_a_address_sublocality as sent",
        coalesce(record.custom_fields."0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c"."locality", record."0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c_locality") as "cf_a_address_locality as sent",
        coalesce(record.custom_fields."0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c"."admin_area_level_1", record."0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c_admin_area_level_1") as "cf_a_address_admin_area_level_1 as sent",
        coalesce(record.custom_fields."0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c"."admin_area_level_2", record."0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c_admin_area_level_2") as "cf_a_address_admin_area_level_2 as sent",
        coalesce(record.custom_fields."0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c"."country", record."0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c_country") as "cf_a_address_country as sent",
        coalesce(record.custom_fields."0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c"."postal_code", record."0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c_postal_code") as "cf_a_address_postal_code as sent",
        coalesce(record.custom_fields."0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c"."subpremise", record."0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c_subpremise") as "cf_a_address_subpremise as sent",
        coalesce(record.custom_fields."0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c"."formatted_address", record."0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c_formatted_address") as "cf_a_address_formatted_address as sent",
        coalesce(record.custom_fields."0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d", record."0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d") as "cf_a_brand_new as sent",
        value_text(record.custom_fields."0505050505050505050505050505050505050505", record."0505050505050505050505050505050505050505", payload, '/custom_fields/0505050505050505050505050505050505050505', ['value', 'timezone_name']) as "cf_a_time as sent",
        coalesce(record.custom_fields."0505050505050505050505050505050505050505"."timezone_name", record."0505050505050505050505050505050505050505_timezone_name") as "cf_a_time_timezone as sent"
    from source
),

typed as (
    select
        *,
        as_text("cf_a_varchar as sent", payload, ['/custom_fields/0000000000000000000000000000000000000000', '/0000000000000000000000000000000000000000']) as "cf_a_varchar",
        as_number("cf_a_double as sent") as "cf_a_double",
        as_money("cf_price as sent") as "cf_price",
        as_text("cf_price_currency as sent", payload, ['/custom_fields/0202020202020202020202020202020202020202/currency', '/0202020202020202020202020202020202020202_currency']) as "cf_price_currency",
        as_date("cf_a_date as sent") as "cf_a_date",
        as_date("cf_a_daterange as sent") as "cf_a_daterange",
        as_date("cf_a_daterange_until as sent") as "cf_a_daterange_until",
        as_time("cf_a_timerange as sent") as "cf_a_timerange",
        as_time("cf_a_timerange_until as sent") as "cf_a_timerange_until",
        as_text("cf_a_timerange_timezone as sent", payload, ['/custom_fields/0606060606060606060606060606060606060606/timezone_name', '/0606060606060606060606060606060606060606_timezone_name']) as "cf_a_timerange_timezone",
        as_id("cf_a_enum_id as sent") as "cf_a_enum_id",
        as_ids("cf_a_set_ids as sent") as "cf_a_set_ids",
        as_id("cf_a_user_id as sent") as "cf_a_user_id",
        as_id("cf_a_people_id as sent") as "cf_a_people_id",
        as_id("cf_a_org_id as sent") as "cf_a_org_id",
        as_text("cf_a_address as sent", payload, ['/custom_fields/0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c/value', '/custom_fields/0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c', '/0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c']) as "cf_a_address",
        as_text("cf_a_address_street_number as sent", payload, ['/custom_fields/0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c/street_number', '/0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c_street_number']) as "cf_a_address_street_number",
        as_text("cf_a_address_route as sent", payload, ['/custom_fields/0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c/route', '/0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c_route']) as "cf_a_address_route",
        as_text("cf_a_address_sublocality as sent", payload, ['/custom_fields/0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c/sublocality', '/0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c_sublocality']) as "cf_a_address_sublocality",
        as_text("cf_a_address_locality as sent", payload, ['/custom_fields/0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c/locality', '/0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c_locality']) as "cf_a_address_locality",
        as_text("cf_a_address_admin_area_level_1 as sent", payload, ['/custom_fields/0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c/admin_area_level_1', '/0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c_admin_area_level_1']) as "cf_a_address_admin_area_level_1",
        as_text("cf_a_address_admin_area_level_2 as sent", payload, ['/custom_fields/0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c/admin_area_level_2', '/0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c_admin_area_level_2']) as "cf_a_address_admin_area_level_2",
        as_text("cf_a_address_country as sent", payload, ['/custom_fields/0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c/country', '/0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c_country']) as "cf_a_address_country",
        as_text("cf_a_address_postal_code as sent", payload, ['/custom_fields/0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c/postal_code', '/0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c_postal_code']) as "cf_a_address_postal_code",
        as_text("cf_a_address_subpremise as sent", payload, ['/custom_fields/0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c/subpremise', '/0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c_subpremise']) as "cf_a_address_subpremise",
        as_text("cf_a_address_formatted_address as sent", payload, ['/custom_fields/0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c/formatted_address', '/0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c_formatted_address']) as "cf_a_address_formatted_address",
        "cf_a_brand_new as sent" as "cf_a_brand_new",
        case when "cf_a_time as sent" is null and "cf_a_time_timezone as sent" is null then retired."0505050505050505050505050505050505050505"."value" else as_time("cf_a_time as sent") end as "cf_a_time",
        case when "cf_a_time as sent" is null and "cf_a_time_timezone as sent" is null then retired."0505050505050505050505050505050505050505"."_timezone" else as_text("cf_a_time_timezone as sent", payload, ['/custom_fields/0505050505050505050505050505050505050505/timezone_name', '/0505050505050505050505050505050505050505_timezone_name']) end as "cf_a_time_timezone"
    from texts
)

select
    id,

    -- A varchar (varchar)
    "cf_a_varchar",

    -- A double (double)
    "cf_a_double",

    -- Price (monetary)
    "cf_price",
    "cf_price_currency",

    -- A date (date)
    "cf_a_date",

    -- A daterange (daterange)
    "cf_a_daterange",
    "cf_a_daterange_until",

    -- A timerange (timerange)
    "cf_a_timerange",
    "cf_a_timerange_until",
    "cf_a_timerange_timezone",

    -- A enum (enum)
    option_label(map {1: 'Hot', 2: 'it''s cold'}, "cf_a_enum_id") as "cf_a_enum",
    "cf_a_enum_id",

    -- A set (set)
    list_transform("cf_a_set_ids", lambda id: case id when 1 then 'Hot' when 2 then 'it''s cold' else 'unknown option ' || id end) as "cf_a_set",
    "cf_a_set_ids",

    -- A user (user)
    "cf_a_user_id",

    -- A people (people)
    "cf_a_people_id",

    -- A org (org)
    "cf_a_org_id",

    -- A address (address)
    "cf_a_address",
    "cf_a_address_street_number",
    "cf_a_address_route",
    "cf_a_address_sublocality",
    "cf_a_address_locality",
    "cf_a_address_admin_area_level_1",
    "cf_a_address_admin_area_level_2",
    "cf_a_address_country",
    "cf_a_address_postal_code",
    "cf_a_address_subpremise",
    "cf_a_address_formatted_address",

    -- A brand_new (brand_new)
    "cf_a_brand_new",

    -- A time (time)
    "cf_a_time",
    "cf_a_time_timezone",

    case
        when is_suspect("cf_a_varchar as sent", "cf_a_varchar")
            or is_suspect("cf_a_double as sent", "cf_a_double")
            or is_suspect("cf_price as sent", "cf_price")
            or is_rounded("cf_price as sent", "cf_price")
            or is_suspect("cf_price_currency as sent", "cf_price_currency")
            or is_suspect("cf_a_date as sent", "cf_a_date")
            or is_suspect("cf_a_daterange as sent", "cf_a_daterange")
            or is_suspect("cf_a_daterange_until as sent", "cf_a_daterange_until")
            or is_suspect("cf_a_timerange as sent", "cf_a_timerange")
            or is_suspect("cf_a_timerange_until as sent", "cf_a_timerange_until")
            or is_suspect("cf_a_timerange_timezone as sent", "cf_a_timerange_timezone")
            or is_suspect("cf_a_enum_id as sent", "cf_a_enum_id")
            or is_suspect("cf_a_set_ids as sent", "cf_a_set_ids")
            or is_suspect("cf_a_user_id as sent", "cf_a_user_id")
            or is_suspect("cf_a_people_id as sent", "cf_a_people_id")
            or is_suspect("cf_a_org_id as sent", "cf_a_org_id")
            or is_suspect("cf_a_address as sent", "cf_a_address")
            or is_suspect("cf_a_address_street_number as sent", "cf_a_address_street_number")
            or is_suspect("cf_a_address_route as sent", "cf_a_address_route")
            or is_suspect("cf_a_address_sublocality as sent", "cf_a_address_sublocality")
            or is_suspect("cf_a_address_locality as sent", "cf_a_address_locality")
            or is_suspect("cf_a_address_admin_area_level_1 as sent", "cf_a_address_admin_area_level_1")
            or is_suspect("cf_a_address_admin_area_level_2 as sent", "cf_a_address_admin_area_level_2")
            or is_suspect("cf_a_address_country as sent", "cf_a_address_country")
            or is_suspect("cf_a_address_postal_code as sent", "cf_a_address_postal_code")
            or is_suspect("cf_a_address_subpremise as sent", "cf_a_address_subpremise")
            or is_suspect("cf_a_address_formatted_address as sent", "cf_a_address_formatted_address")
            or is_suspect("cf_a_time as sent", "cf_a_time")
            or is_suspect("cf_a_time_timezone as sent", "cf_a_time_timezone")
            or misplaced_text(payload) is not null
        then rejections([
            rejection('cf_a_varchar', "cf_a_varchar as sent", "cf_a_varchar", 'not a VARCHAR'),
            rejection('cf_a_double', "cf_a_double as sent", "cf_a_double", 'not a DOUBLE'),
            rejection('cf_price', "cf_price as sent", "cf_price", 'not a DECIMAL(18,4)'),
            rounding('cf_price', "cf_price as sent", "cf_price"),
            rejection('cf_price_currency', "cf_price_currency as sent", "cf_price_currency", 'not a VARCHAR'),
            rejection('cf_a_date', "cf_a_date as sent", "cf_a_date", 'not a DATE'),
            rejection('cf_a_daterange', "cf_a_daterange as sent", "cf_a_daterange", 'not a DATE'),
            rejection('cf_a_daterange_until', "cf_a_daterange_until as sent", "cf_a_daterange_until", 'not a DATE'),
            rejection('cf_a_timerange', "cf_a_timerange as sent", "cf_a_timerange", 'not a TIME'),
            rejection('cf_a_timerange_until', "cf_a_timerange_until as sent", "cf_a_timerange_until", 'not a TIME'),
            rejection('cf_a_timerange_timezone', "cf_a_timerange_timezone as sent", "cf_a_timerange_timezone", 'not a VARCHAR'),
            rejection('cf_a_enum_id', "cf_a_enum_id as sent", "cf_a_enum_id", 'not a BIGINT'),
            rejection('cf_a_set_ids', "cf_a_set_ids as sent", "cf_a_set_ids", 'not a list of BIGINT'),
            rejection('cf_a_user_id', "cf_a_user_id as sent", "cf_a_user_id", 'not a BIGINT'),
            rejection('cf_a_people_id', "cf_a_people_id as sent", "cf_a_people_id", 'not a BIGINT'),
            rejection('cf_a_org_id', "cf_a_org_id as sent", "cf_a_org_id", 'not a BIGINT'),
            rejection('cf_a_address', "cf_a_address as sent", "cf_a_address", 'not a VARCHAR'),
            rejection('cf_a_address_street_number', "cf_a_address_street_number as sent", "cf_a_address_street_number", 'not a VARCHAR'),
            rejection('cf_a_address_route', "cf_a_address_route as sent", "cf_a_address_route", 'not a VARCHAR'),
            rejection('cf_a_address_sublocality', "cf_a_address_sublocality as sent", "cf_a_address_sublocality", 'not a VARCHAR'),
            rejection('cf_a_address_locality', "cf_a_address_locality as sent", "cf_a_address_locality", 'not a VARCHAR'),
            rejection('cf_a_address_admin_area_level_1', "cf_a_address_admin_area_level_1 as sent", "cf_a_address_admin_area_level_1", 'not a VARCHAR'),
            rejection('cf_a_address_admin_area_level_2', "cf_a_address_admin_area_level_2 as sent", "cf_a_address_admin_area_level_2", 'not a VARCHAR'),
            rejection('cf_a_address_country', "cf_a_address_country as sent", "cf_a_address_country", 'not a VARCHAR'),
            rejection('cf_a_address_postal_code', "cf_a_address_postal_code as sent", "cf_a_address_postal_code", 'not a VARCHAR'),
            rejection('cf_a_address_subpremise', "cf_a_address_subpremise as sent", "cf_a_address_subpremise", 'not a VARCHAR'),
            rejection('cf_a_address_formatted_address', "cf_a_address_formatted_address as sent", "cf_a_address_formatted_address", 'not a VARCHAR'),
            rejection('cf_a_time', "cf_a_time as sent", "cf_a_time", 'not a TIME'),
            rejection('cf_a_time_timezone', "cf_a_time_timezone as sent", "cf_a_time_timezone", 'not a VARCHAR'),
            misplacement(payload)
        ])
    end as rejected
from typed

-- staging.persons_custom_columns: One row per record of persons: custom fields with the names of what they refer to.
with names as (
    select
        custom.id,
        users_1.name as "cf_a_user",
        persons_2.name as "cf_a_people",
        organizations_3.name as "cf_a_org"
    from staging.persons_custom_fields as custom
    left join staging.users as users_1 on users_1.id = custom."cf_a_user_id"
    left join staging.persons as persons_2 on persons_2.id = custom."cf_a_people_id"
    left join staging.organizations as organizations_3 on organizations_3.id = custom."cf_a_org_id"
)

select
    custom.id,
    custom."cf_a_varchar",
    custom."cf_a_double",
    custom."cf_price",
    custom."cf_price_currency",
    custom."cf_a_date",
    custom."cf_a_daterange",
    custom."cf_a_daterange_until",
    custom."cf_a_timerange",
    custom."cf_a_timerange_until",
    custom."cf_a_timerange_timezone",
    custom."cf_a_enum",
    custom."cf_a_enum_id",
    custom."cf_a_set",
    custom."cf_a_set_ids",
    names."cf_a_user",
    custom."cf_a_user_id",
    names."cf_a_people",
    custom."cf_a_people_id",
    names."cf_a_org",
    custom."cf_a_org_id",
    custom."cf_a_address",
    custom."cf_a_address_street_number",
    custom."cf_a_address_route",
    custom."cf_a_address_sublocality",
    custom."cf_a_address_locality",
    custom."cf_a_address_admin_area_level_1",
    custom."cf_a_address_admin_area_level_2",
    custom."cf_a_address_country",
    custom."cf_a_address_postal_code",
    custom."cf_a_address_subpremise",
    custom."cf_a_address_formatted_address",
    custom."cf_a_brand_new",
    custom."cf_a_time",
    custom."cf_a_time_timezone",
    custom."cf_price" as "cf_a_monetary",
    custom."cf_price_currency" as "cf_a_monetary_currency"
from staging.persons_custom_fields as custom
left join names on names.id = custom.id
