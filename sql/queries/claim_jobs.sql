-- New jobs above a remembered id: rows behind the cursor are dead weight to a search and grow while a
-- run goes on. From the front (cursor 0) only where the tally says that something is pending.
-- $1 run_id, $2 cursor, $3 how many at most, $4 worker_id.
with next as (
  select job_id from bucketferry.job
  where run_id = $1
    and exists (select from bucketferry.run r where r.run_id = $1
                and r.state in ('planning', 'copying'))
    and ($2::bigint > 0 or (select sum(t.pending) from bucketferry.tally t where t.run_id = $1) > 0)
    and job_id > $2 and state = 'pending'
  order by job_id limit $3
  for update skip locked
)
update bucketferry.job j set state = 'in_flight', worker_id = $4
from next where j.run_id = $1 and j.job_id = next.job_id
returning j.job_id, j.key, j.action, j.size_bytes, j.source_etag,
          (extract(epoch from j.source_modified_at) * 1000)::bigint as source_modified_ms,
          j.source_version, j.attempts, j.upload_id, j.part_bytes, j.parts_left
