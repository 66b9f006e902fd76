-- A target knows of everything that was required when it was called.
-- $1 task name, $2 target, $3 run and $4 requirement, as they were read before the call, $5 outcome.
update bucketferry.refresh
set acknowledged_seq = greatest(acknowledged_seq, $4),
    acknowledged_run_id = greatest(acknowledged_run_id, $3),
    acknowledged_at = clock_timestamp(), outcome = $5, requests = requests + 1, tries = 0,
    next_try_at = null, error = null
where task_name = $1 and target = $2
