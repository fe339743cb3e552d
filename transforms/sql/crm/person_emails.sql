-- One row per e-mail of a person.
--
-- materialized: view
-- columns:
--   person_id: The person
--   position: Place among the person's e-mails, from 1
--   value: The e-mail
--   label: work, home, other, …
--   is_primary: Whether it is flagged as the primary one

select
    id as person_id,
    position,
    emails[position].value as value,
    emails[position].label as label,
    emails[position].is_primary as is_primary
from (
    select id, emails, unnest(range(1, len(emails) + 1)) as position
    from staging.persons
)
