-- What a run is, for those who are told of it. $1 run_id. Times are RFC 3339, UTC.
select run_id, task_name, kind, error,
       case when state in ('planning', 'copying') and not active then 'interrupted' else state end
         as state,
       finished_at is not null as closed, source_objects, planned, done, adopted, deleted, dead,
       vanished, archived, bytes_done,
       to_char(started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as started_at,
       to_char(finished_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as finished_at,
       extract(epoch from coalesce(finished_at, clock_timestamp()) - started_at)::float8 as seconds
from bucketferry.run_total where run_id = $1
