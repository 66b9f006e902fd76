-- $1 task name, $2 how many. Newest first. Skipped runs take at most half of the room, so that
-- hundreds of them do not hide the one that goes on.
select run_id,
       case when state in ('planning', 'copying') and not active then 'interrupted' else state end
         as state,
       active, to_char(started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as started_at,
       to_char(finished_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as finished_at,
       source_objects, planned, pending, in_flight, retry_wait, done, adopted, deleted, dead,
       vanished, archived, bytes_planned, bytes_done, retries, requests_source,
       requests_destination, error,
       -- Of one that nobody works on: until something of it went on last.
       extract(epoch from coalesce(finished_at, case when not active then progress_at end,
                                   clock_timestamp()) - started_at)::float8 as seconds
from bucketferry.run_total
where run_id in (
  (select run_id from bucketferry.run where task_name = $1 and state <> 'skipped'
   order by run_id desc limit $2)
  union all
  (select run_id from bucketferry.run where task_name = $1 and state = 'skipped'
   order by run_id desc limit $2::bigint / 2))
order by run_id desc limit $2
