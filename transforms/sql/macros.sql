-- Macros that the staging tables share. They are temporary: created on every transform, so that no
-- view and no reader of the file depends on them.
--
-- as_* take text as received and give a typed value, or NULL when the text does not fit.
-- Where DuckDB's cast is lenient in a way that would change a value, the text is checked first:
-- it rounds '12.7' to a BIGINT, reads 'infinity' as a DATE and drops the offset of a TIME.

create or replace temp macro as_id(t) as
    case when try_cast(t as bigint)::varchar = t then try_cast(t as bigint) end;

create or replace temp macro as_integer(t) as
    try_cast(as_id(t) as integer);

create or replace temp macro as_number(t) as
    case when isfinite(try_cast(t as double)) then try_cast(t as double) end;

create or replace temp macro as_money(t) as
    try_cast(t as decimal(18, 4));

create or replace temp macro as_date(t) as
    case when t like '____-__-__' then try_cast(t as date) end;

create or replace temp macro as_time(t) as
    case when (t like '__:__:__' or t like '__:__') and t < '24' then try_cast(t as time) end;

create or replace temp macro as_boolean(t) as
    case when lower(t) in ('true', '1') then true when lower(t) in ('false', '0') then false end;

-- v1 sends 'YYYY-MM-DD HH:MM:SS' and means UTC, leads and v2 send ISO 8601 with a Z.
create or replace temp macro as_timestamp(t) as
    case
        when t like '____-__-__%'
        then coalesce(try_cast(t || 'Z' as timestamptz), try_cast(t as timestamptz))
    end;

create or replace temp macro loose_ids(t) as
    try_cast('[' || translate(t, '[]" ', '') || ']' as bigint[]);

-- '1,2' (v1), '[1,2]' (v2), '["1","2"]' or a single '1'.
create or replace temp macro as_ids(t) as
    case
        when not regexp_full_match(t, '[0-9," \[\]-]+') then null
        when list_count(loose_ids(t)) = len(loose_ids(t)) then loose_ids(t)
    end;

-- Text, unless the record holds an object or a list there. `pointers` say where in the record the
-- text may come from, first one first; the record is looked at only when the text looks like JSON.
create or replace temp macro as_text(t, payload, pointers) as
    case
        when starts_with(t, '{') or starts_with(t, '[')
        then case
            when list_filter(json_type(payload, pointers), lambda k: k <> 'NULL')[1] in ('OBJECT', 'ARRAY')
            then null
            else t
        end
        else t
    end;

-- A reference is an id, or an object that holds it (older v1 lists: {"value": 5, "name": …}).
create or replace temp macro reference_text(t) as
    case
        when starts_with(t, '{') and json_valid(t) then coalesce(t ->> '/value', t ->> '/id', t)
        else t
    end;

-- The value at `pointer` of a record when it is no object: what a struct cannot hold.
create or replace temp macro lone_text(payload, pointer) as
    case when json_type(payload, pointer) <> 'OBJECT' then payload ->> pointer end;

-- The value at `pointer` of a record when it is no object with any of the keys it should have.
create or replace temp macro odd_text(payload, pointer, keys) as
    case
        when json_type(payload, pointer) <> 'OBJECT'
            or not list_has_any(json_keys(payload, pointer), keys)
        then nullif(payload ->> pointer, '{}')
    end;

-- The main value of a custom field with parts: v2 nests it, v1 has it flat. What is neither is
-- taken as it is, so that it is rejected and not passed over.
create or replace temp macro value_text(nested, flat, payload, pointer, keys) as
    coalesce(
        struct_extract(nested, 'value'),
        flat,
        case when nested is not null then odd_text(payload, pointer, keys) end
    );

-- There is text, and nothing was typed. Cheap: asked of every value of every row.
create or replace temp macro is_suspect(t, typed) as
    typed is null and t is not null;

-- Empty text and Pipedrive's zero date are no values; anything else that was not typed is rejected.
create or replace temp macro rejection(column_name, t, typed, reason) as
    case
        when is_suspect(t, typed)
        then case
            when t <> '' and not starts_with(t, '0000-00-00')
            then {'column_name': column_name, 'value': t, 'reason': reason}
        end
    end;

-- v2's custom fields when they are no object; an empty list stands for none. Cheap: the record is
-- decoded only where they are not written as Pipedrive writes them.
create or replace temp macro misplaced_text(payload) as
    case
        when contains(payload, '"custom_fields":{') or contains(payload, '"custom_fields": {')
        then null
        when contains(payload, '"custom_fields"')
        then case
            when json_type(payload, '/custom_fields') not in ('OBJECT', 'NULL')
            then nullif(payload ->> '/custom_fields', '[]')
        end
    end;

create or replace temp macro misplacement(payload) as
    case
        when misplaced_text(payload) is not null
        then {
            'column_name': 'custom_fields',
            'value': misplaced_text(payload),
            'reason': 'not an object'
        }
    end;

-- More than four decimals. The look at the text comes first: exact arithmetic is dear.
create or replace temp macro is_rounded(t, typed) as
    case
        when t like '%._____%' or contains(t, 'e-') then typed <> try_cast(t as decimal(38, 18))
        else false
    end;

create or replace temp macro rounding(column_name, t, typed) as
    case when is_rounded(t, typed) then {'column_name': column_name, 'value': t, 'reason': 'rounded'} end;

-- The rejections that are there, NULL when there is none.
create or replace temp macro rejections(candidates) as
    nullif(list_filter(candidates, lambda r: r is not null), []);

create or replace temp macro option_label(options, id) as
    case when id is not null then coalesce(options[id], 'unknown option ' || id) end;

-- Whether text is a JSON list of nothing but `kind` ('OBJECT', 'VARCHAR', …).
create or replace temp macro is_list_of(t, kind) as
    case
        when starts_with(t, '[') and json_valid(t)
        then len(list_filter(json_type(t, '$[*]'), lambda k: k <> kind)) = 0
        else false
    end;

-- E-mails, phones and instant messengers: a JSON list of {value, label, primary}. Blank ones are
-- dropped; anything but a list of objects whose values are plain does not fit.
create or replace temp macro as_contacts(t) as
    case
        when contains(t, '"value":{') or contains(t, '"value":[') then null
        when is_list_of(t, 'OBJECT')
        then list_transform(
            list_filter(
                from_json(t, '[{"value":"VARCHAR","label":"VARCHAR","primary":"VARCHAR"}]'),
                lambda c: trim(c.value) <> ''
            ),
            lambda c: {
                'value': c.value,
                'label': c.label,
                'is_primary': coalesce(as_boolean(c.primary), false)
            }
        )
    end;

-- The flagged e-mail or phone, else the first.
create or replace temp macro primary_contact(contacts) as
    coalesce(list_filter(contacts, lambda c: c.is_primary)[1].value, contacts[1].value);

-- A JSON list of text: the labels of a lead.
create or replace temp macro as_texts(t) as
    case when is_list_of(t, 'VARCHAR') then from_json(t, '["VARCHAR"]') end;

-- v1's active_flag as v2's is_deleted.
create or replace temp macro negated_text(t) as
    case
        when lower(t) in ('true', '1') then 'false'
        when lower(t) in ('false', '0') then 'true'
        else t
    end;

-- The full text of an address: v1 sends it bare, v2 in an object.
create or replace temp macro address_text(t, payload, pointer) as
    case
        when starts_with(t, '{')
        then case
            when json_type(payload, pointer) = 'OBJECT' then payload ->> (pointer || '/value')
            else t
        end
        else t
    end;
