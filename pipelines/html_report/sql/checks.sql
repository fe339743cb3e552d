-- One row per data check of the last run that made any; those that do not hold first.

select
    name,
    description,
    severity,
    failing_rows,
    checked_time
from sync_checks
where run_id = (select arg_max(run_id, checked_time) from sync_checks)
order by failing_rows = 0, severity, name
