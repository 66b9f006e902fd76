-- The latest runs of each task, for the status page. $1 task names, $2 runs of each.
-- Newest first within a task. Skipped runs take at most half of the room.
select n.task, r.run_id as run,
       case when r.state in ('planning', 'copying') and not r.active then 'interrupted'
            else r.state end as state,
       r.active, to_char(r.started_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') as started_at,
       extract(epoch from coalesce(r.finished_at, clock_timestamp()) - r.started_at)::float8
         as seconds,
       r.planned, r.pending, r.in_flight, r.retry_wait, r.done, r.adopted, r.deleted, r.dead,
       r.vanished, r.archived, r.bytes_planned, r.bytes_done, r.retries, r.error
from unnest($1::text[]) with ordinality as n (task, place)
cross join lateral (
  select * from bucketferry.run_total
  where run_id in (
    (select run_id from bucketferry.run where task_name = n.task and state <> 'skipped'
     order by run_id desc limit $2)
    union all
    (select run_id from bucketferry.run where task_name = n.task and state = 'skipped'
     order by run_id desc limit $2::bigint / 2))
  order by run_id desc limit $2) r
order by n.place, r.run_id desc
