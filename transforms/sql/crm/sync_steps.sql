-- One row per step of a run: an entity read, the load, the transform, the publish.
--
-- materialized: view
-- columns:
--   run_id: The run
--   step: read, load, transform or publish
--   entity: What was read
--   mode: How it was read: first, full, incremental or listing
--   started_time: When it started
--   seconds: How long it took
--   requests: Requests sent
--   tokens: API tokens spent
--   rows: Rows loaded: new or changed
--   rows_listed: Rows that came over the wire
--   rows_new: Rows not known before
--   rows_changed: Rows that differed
--   rows_unchanged: Rows known as they were
--   watermark: Where the next incremental read begins
--   error: What went wrong

select
    run_id,
    step,
    entity,
    mode,
    started_time,
    seconds,
    requests,
    tokens,
    rows,
    rows_listed,
    rows_new,
    rows_changed,
    rows_unchanged,
    watermark,
    error
from ops.steps
