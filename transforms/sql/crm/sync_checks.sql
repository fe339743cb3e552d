-- One row per run and data check.
--
-- materialized: view
-- columns:
--   run_id: The run
--   name: Name of the check
--   severity: error: nothing is published while it fails; warn: it is told
--   description: What must hold
--   failing_rows: Rows for which it does not
--   is_ok: Whether there is none
--   sample: A few of the failing rows, a JSON list
--   checked_time: When it was looked at

select
    run_id,
    name,
    severity,
    description,
    failing_rows,
    failing_rows = 0 as is_ok,
    sample,
    checked_time
from ops.checks
