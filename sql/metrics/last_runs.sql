-- The latest run of each kind, over all generations of a name. $1 task names. A row for each name,
-- null where there is no such run. By the index on (task_name, run_id), from its end.
--
-- started: began to plan. completed: closed complete or incomplete. succeeded: a scheduled run closed
-- complete; a retry does not look at the source, so it says nothing of the schedule. failed: closed
-- failed. closed: what the numbers of "the last run" are about; an interrupted run
-- counts once the next one has closed it. Progress of a run that is closed is its end. A complete run
-- left no byte undone: what it planned and did not send was equal already, or is no more.
select n.task, started.run_id as started_run,
       extract(epoch from started.started_at)::float8 as started_at,
       completed.run_id as completed_run,
       extract(epoch from completed.finished_at)::float8 as completed_at,
       extract(epoch from succeeded.finished_at)::float8 as succeeded_at,
       failed.run_id as failed_run,
       extract(epoch from failed.finished_at)::float8 as failed_at,
       extract(epoch from greatest(progress.at, closed.finished_at))::float8 as progress_at,
       closed.state = 'complete' as success,
       extract(epoch from coalesce(closed.planned_at, closed.finished_at) - closed.started_at)
         ::float8 as plan_seconds,
       extract(epoch from closed.finished_at - coalesce(closed.planned_at, closed.finished_at))
         ::float8 as copy_seconds,
       closed.done, closed.adopted, closed.deleted, closed.dead, closed.vanished, closed.archived,
       closed.bytes_done,
       case when closed.state = 'complete' then 0
            else greatest(closed.bytes_planned - closed.bytes_done, 0) end as bytes_not_done
from unnest($1::text[]) as n (task)
left join lateral (
  select run_id, started_at from bucketferry.run
  where task_name = n.task and state <> 'skipped'
  order by run_id desc limit 1) started on true
left join lateral (
  select run_id, finished_at from bucketferry.run
  where task_name = n.task and state in ('complete', 'incomplete')
  order by run_id desc limit 1) completed on true
left join lateral (
  select finished_at from bucketferry.run
  where task_name = n.task and state = 'complete' and kind = 'scheduled'
  order by run_id desc limit 1) succeeded on true
left join lateral (
  select run_id, finished_at from bucketferry.run
  where task_name = n.task and state = 'failed'
  order by run_id desc limit 1) failed on true
left join lateral (
  select * from bucketferry.run
  where task_name = n.task and finished_at is not null and state <> 'skipped'
  order by run_id desc limit 1) closed on true
left join lateral (
  select max(y.advanced_at) as at
  from bucketferry.tally y join bucketferry.run r using (run_id)
  where r.task_name = n.task) progress on true
