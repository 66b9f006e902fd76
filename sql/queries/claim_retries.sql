-- Jobs whose pause is over; looked for only where the tally says that some wait. $1 run_id, $2 how many at most, $3 worker_id.
with next as (
  select job_id from bucketferry.job
  where run_id = $1
    and exists (select from bucketferry.run r where r.run_id = $1
                and r.state in ('planning', 'copying'))
    and (select sum(t.retry_wait) from bucketferry.tally t where t.run_id = $1) > 0
    and state = 'retry_wait' and retry_at <= clock_timestamp()
  order by retry_at limit $2
  for update skip locked
)
update bucketferry.job j set state = 'in_flight', worker_id = $3, retry_at = null
from next where j.run_id = $1 and j.job_id = next.job_id
returning j.job_id, j.key, j.action, j.size_bytes, j.source_etag,
          (extract(epoch from j.source_modified_at) * 1000)::bigint as source_modified_ms,
          j.source_version, j.attempts, j.upload_id, j.part_bytes, j.parts_left
