-- Workers with a lease, and the runs of these tasks that go on and that each works on. $1 task names,
-- $2 rows at most. A row for each worker and run; one with nulls for a worker that has none.
select w.worker_id as worker, w.host, w.process_id,
       to_char(w.started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as started_at,
       to_char(w.leased_until at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as leased_until,
       o.task_name as task, o.run_id as run,
       coalesce(o.state = 'planning' and o.planner_id = w.worker_id, false) as plans
from bucketferry.worker w
left join lateral (
  select r.run_id, r.task_name, r.state, r.planner_id
  from bucketferry.run r
  where r.state in ('planning', 'copying') and r.task_name = any($1::text[])
    and exists (select from bucketferry.tally y
                where y.run_id = r.run_id and y.worker_id = w.worker_id)) o on true
where w.released_at is null and w.leased_until > clock_timestamp()
order by w.worker_id, o.run_id limit $2
