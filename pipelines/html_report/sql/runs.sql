-- One row per run, the last 30 of them, the oldest first.

with newest as (
    select
        started_time,
        command,
        coalesce(outcome, 'unfinished') as outcome,
        coalesce(rows_loaded, 0) as rows_loaded,
        coalesce(requests, 0) as requests,
        coalesce(tokens, 0) as tokens,
        epoch(ended_time - started_time) as seconds,
        left(error, 300) as error
    from sync_runs
    order by started_time desc
    limit 30
)

select
    started_time,
    command,
    outcome,
    rows_loaded,
    requests,
    tokens,
    seconds,
    error
from newest
order by started_time
