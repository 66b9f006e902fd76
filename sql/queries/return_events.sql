-- A run of events that is closed before its end: what it planned and did not do waits again.
-- Run after close_run. $1 run_id, $2 task name.
insert into bucketferry.event (task, key)
select $2, x.key from (
  select key from bucketferry.job
  where run_id = $1 and state in ('pending', 'in_flight', 'retry_wait')
  union
  select key from bucketferry.extra where run_id = $1) x
order by x.key
on conflict (task, key) do nothing
