-- One row per user of the account, past ones included.
--
-- materialized: view
-- columns:
--   id: Pipedrive's id
--   name: Name
--   email: E-mail
--   phone: Phone
--   is_active: Whether the user can log in
--   is_admin: Whether the user is an administrator
--   role_id: Role
--   timezone_name: Time zone, an IANA name
--   default_currency: Currency the user works in
--   locale: Language and region
--   created: When the user was created
--   modified: When the user last changed
--   last_login: When the user last logged in
--   is_deleted: Whether the user is deleted, or no longer listed

select
    id,
    name,
    email,
    phone,
    is_active,
    is_admin,
    role_id,
    timezone_name,
    default_currency,
    locale,
    created,
    modified,
    last_login,
    is_deleted
from staging.users
order by id
