-- A target was called and did not do it. $1 task name, $2 target, $3 error, $4 pause in milliseconds.
update bucketferry.refresh
set requests = requests + 1, failures = failures + 1, tries = tries + 1, error = $3,
    next_try_at = clock_timestamp() + $4 * interval '1 millisecond'
where task_name = $1 and target = $2
