-- Objects whose parts are all there and that nobody completes. $1 run_id, $2 limit, $3 worker_id.
with next as (
  select job_id from bucketferry.job
  where run_id = $1
    and exists (select from bucketferry.run r where r.run_id = $1
                and r.state in ('planning', 'copying'))
    and state = 'in_flight' and parts_left = 0 and worker_id is null
  order by job_id limit $2
  for update skip locked
)
update bucketferry.job j set worker_id = $3
from next where j.run_id = $1 and j.job_id = next.job_id
returning j.job_id, j.key, j.action, j.size_bytes, j.source_etag,
          (extract(epoch from j.source_modified_at) * 1000)::bigint as source_modified_ms,
          j.source_version, j.attempts, j.upload_id, j.part_bytes, j.parts_left
