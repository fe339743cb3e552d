-- One row per step of a run: a list read, recent changes polled, a table reconciled, and so on.
--
-- materialized: view
-- columns:
--   run_id: The run
--   step: read, recents, reconcile, load, transform or publish
--   entity: The list that was read, or the table that was polled or reconciled
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
--   rows_deleted: Rows marked as gone
--   rows_live: Rows not marked as gone, afterwards
--   watermark: Where the next one begins; for reconcile: when it was, by Pipedrive's clock
--   note: What differs after a reconcile, or why an optional list was left out
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
    rows_deleted,
    rows_live,
    watermark,
    note,
    error
from ops.steps
