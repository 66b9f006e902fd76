-- In the transaction that closes a run which changed the destination. $1 run_id.
insert into bucketferry.refresh as f (task_name, target, required_run_id, required_at)
select r.task_name, target, r.run_id, clock_timestamp()
from bucketferry.run r join bucketferry.task t using (task_id),
     unnest(t.refresh_targets) as target
where r.run_id = $1 and r.changed_destination
on conflict (task_name, target) do update
  set required_run_id = greatest(f.required_run_id, excluded.required_run_id),
      required_at = excluded.required_at
