-- What was asked for, is not acknowledged, and may be tried now, the longest required first.
-- Arrays of one length: $1 task names, $2 targets.
select f.task_name, f.target, f.required_run_id, f.required_seq, f.tries
from bucketferry.refresh f
join unnest($1::text[], $2::text[]) as c (task_name, target) using (task_name, target)
where f.requested_seq > f.acknowledged_seq
  and coalesce(f.next_try_at <= clock_timestamp(), true)
order by f.required_at, f.task_name, f.target
