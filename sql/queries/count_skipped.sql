-- $1 task_id.
update bucketferry.task set runs_skipped = runs_skipped + 1, skipped_at = clock_timestamp()
where task_id = $1
