-- What lost workers held waits for another, and costs the object no attempt.
-- $1 run_id, $2 worker ids.
update bucketferry.job set state = 'retry_wait', retry_at = clock_timestamp(), worker_id = null
where run_id = $1 and state = 'in_flight' and worker_id = any($2::bigint[])
  and exists (select from bucketferry.run r where r.run_id = $1 and r.finished_at is null)
returning job_id, size_bytes
