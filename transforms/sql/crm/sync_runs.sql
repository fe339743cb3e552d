-- One row per run.
--
-- materialized: view
-- columns:
--   run_id: Id of the run
--   command: What was started: run, reconcile, transform
--   started_time: When it started
--   ended_time: When it ended; NULL while it runs, or if it was killed
--   outcome: ok, partial, refused (a check or guard said no) or failed
--   exit_code: What the command ended with
--   dialect: How persons and organizations were read: v2 or collection
--   user_id: The user behind the token
--   user_name: Name of the user
--   is_admin: Whether the user is an administrator
--   company_id: The account
--   company_domain: Domain of the account
--   requests: Requests sent
--   tokens: API tokens spent
--   daily_limit: The company's tokens a day, where Pipedrive told
--   daily_remaining: Tokens of the day left when the run ended
--   rows_loaded: Rows that were new or differed
--   is_published: Whether the published file was replaced
--   error: What went wrong
--   version: Version of pipeduck

select
    run_id,
    command,
    started_time,
    ended_time,
    outcome,
    exit_code,
    dialect,
    user_id,
    user_name,
    is_admin,
    company_id,
    company_domain,
    requests,
    tokens,
    daily_limit,
    daily_remaining,
    rows_loaded,
    is_published,
    error,
    version
from ops.runs
