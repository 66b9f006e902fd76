-- Parts that were not finished go back, of the upload that they were claimed for and of no later one.
-- coalesce() as in record_done.
-- $1 run_id, $2 worker_id, arrays: $3 job ids, $4 numbers, $5 upload ids.
with o as (
  select o.job_id, o.number, o.upload_id
  from unnest($3::bigint[], $4::int[], $5::text[]) as o(job_id, number, upload_id)
  join bucketferry.job j on j.run_id = $1 and j.job_id = o.job_id and j.upload_id = o.upload_id
)
update bucketferry.part p set state = 'pending', worker_id = null
from o
where p.run_id = $1 and p.job_id = o.job_id and p.number = o.number
  and coalesce(p.state = 'in_flight' and p.worker_id = $2, false)
returning p.job_id, o.upload_id
