-- $1 run_id.
select run_id, state, source_objects, planned, pending, in_flight, retry_wait, done, adopted,
       deleted, dead, vanished, archived, bytes_planned, bytes_done, retries, error, live_workers,
       extract(epoch from coalesce(finished_at, clock_timestamp()) - started_at)::float8
         as seconds
from bucketferry.run_total where run_id = $1
