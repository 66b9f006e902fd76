-- Extras become jobs that workers may claim, in batches, after the guards passed.
-- $1 run_id, $2 above this number, $3 up to this one, $4 what to add for the job_id.
with moved as (
  delete from bucketferry.extra where run_id = $1 and number > $2 and number <= $3 returning *
)
insert into bucketferry.job (run_id, job_id, key, action, reason, size_bytes, source_etag,
  source_modified_at, destination_etag, destination_size_bytes, destination_modified_at)
select run_id, $4 + number, key, 'delete', reason, 0, source_etag, source_modified_at,
       destination_etag, destination_size_bytes, destination_modified_at
from moved
returning job_id
