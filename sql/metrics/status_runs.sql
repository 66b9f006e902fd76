-- The latest runs of each task, for the status page. $1 task names, $2 runs of each, $3 whether error
-- texts may be seen. Newest first within a task. Skipped runs take at most half of the room.
--
-- open: not closed yet, so that its levels mean something; who works on it or not is `active`.
select n.task, r.run_id as run, r.kind,
       case when r.state in ('planning', 'copying') and not r.active then 'interrupted'
            else r.state end as state,
       r.active, r.state in ('planning', 'copying') as open,
       to_char(r.started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as started_at,
       to_char(r.planned_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as planned_at,
       to_char(r.progress_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as progress_at,
       to_char(r.finished_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as finished_at,
       extract(epoch from coalesce(r.finished_at, clock_timestamp()) - r.started_at)::float8
         as seconds,
       r.source_objects, r.planned, r.pending, r.in_flight, r.retry_wait, r.done, r.adopted,
       r.deleted, r.dead, r.vanished, r.archived, r.bytes_planned,
       r.bytes_pending + r.bytes_in_flight as bytes_left, r.bytes_done, r.retries,
       r.requests_source, r.requests_destination,
       case when $3::bool then r.error end as error
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
