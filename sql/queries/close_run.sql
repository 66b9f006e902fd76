-- Ends a run, once. Run after lock_run, and before fold_run, which adds up what it did.
-- $1 run_id, $2 state, $3 error, or null: what its plan said stays. No row: it was closed before.
with r as (
  update bucketferry.run x
  set state = $2, error = coalesce($3, x.error),
      finished_at = greatest(clock_timestamp(), x.started_at),
      leftovers = $2 in ('failed', 'interrupted')
  where x.run_id = $1 and x.finished_at is null
  returning x.task_id, x.state, x.task_name, x.kind
)
update bucketferry.task t
set runs = t.runs + 1, runs_failed = t.runs_failed + (r.state = 'failed')::int
from r where t.task_id = r.task_id
returning r.task_name, r.kind = 'event' as of_events
