-- Somebody answers for what is required of a target by now, and will see it done.
-- $1 task name, $2 target. A row when something is due: required_run_id.
update bucketferry.refresh
set requested_at = case when requested_seq < required_seq then clock_timestamp()
                        else requested_at end,
    requested_seq = required_seq
where task_name = $1 and target = $2 and required_seq > acknowledged_seq
returning required_run_id
