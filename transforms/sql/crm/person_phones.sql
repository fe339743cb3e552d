-- One row per phone of a person.
--
-- materialized: view
-- columns:
--   person_id: The person
--   position: Place among the person's phones, from 1
--   value: The phone
--   label: work, home, other, …
--   is_primary: Whether it is flagged as the primary one

select
    id as person_id,
    position,
    phones[position].value as value,
    phones[position].label as label,
    phones[position].is_primary as is_primary
from (
    select id, phones, unnest(range(1, len(phones) + 1)) as position
    from staging.persons
)
