-- Parts that were not finished go back. coalesce() as in record_done. $1 run_id, $2 worker_id, arrays: $3 job ids, $4 numbers.
update bucketferry.part p set state = 'pending', worker_id = null
from unnest($3::bigint[], $4::int[]) as o(job_id, number)
where p.run_id = $1 and p.job_id = o.job_id and p.number = o.number
  and coalesce(p.state = 'in_flight' and p.worker_id = $2, false)
returning p.number
