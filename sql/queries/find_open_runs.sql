-- Runs that workers may work on. $1 task names.
select r.run_id, r.task_id, r.task_name, r.state, r.kind = 'event' as of_events,
       t.source_bucket, t.source_prefix,
       t.destination_bucket, t.destination_prefix, t.source_store, t.destination_store,
       exists (select from bucketferry.worker w where w.worker_id = r.planner_id
               and w.released_at is null and w.leased_until > clock_timestamp()) as planner_alive
from bucketferry.run r join bucketferry.task t using (task_id)
where r.state in ('planning', 'copying') and r.task_name = any($1::text[])
order by r.run_id
