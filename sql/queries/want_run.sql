-- A run waits for the run of events of its task to end. $1 task name, $2 for how long that stands, in
-- ms. Run after lock_task.
update bucketferry.task
set run_wanted_until = clock_timestamp() + $2 * interval '1 millisecond'
where name = $1
