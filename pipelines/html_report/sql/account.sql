-- One row: whose account it is, and when it was looked at.
--
-- `as_of` is that moment by Pipedrive's clock, by which its records are dated: the start of the
-- last run, moved by what the two clocks differed when Pipedrive's was last told.

with last_run as (
    select
        run_id,
        started_time,
        dialect,
        version,
        company_domain,
        daily_limit,
        daily_remaining
    from sync_runs
    order by started_time desc
    limit 1
),

told as (
    select steps.watermark - runs.started_time as ahead
    from sync_steps as steps
    inner join sync_runs as runs on runs.run_id = steps.run_id
    where steps.step in ('reconcile', 'recents') and steps.watermark is not null
    order by runs.started_time desc, steps.watermark desc
    limit 1
)

select
    coalesce(
        (select company_domain from sync_runs where company_domain is not null
        order by started_time desc limit 1),
        ''
    ) as company_domain,
    last_run.started_time as last_run,
    date_trunc('second', last_run.started_time + coalesce(told.ahead, interval 0 seconds)) as as_of,
    coalesce(last_run.version, '') as version,
    last_run.daily_limit,
    last_run.daily_remaining
from (select 1 as one) as one_row
left join last_run on true
left join told on true
