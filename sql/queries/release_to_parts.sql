-- A job that waited because a part failed: its parts may be claimed again.
-- $1 run_id, $2 worker_id, $3 job ids.
update bucketferry.job set worker_id = null
where run_id = $1 and worker_id = $2 and state = 'in_flight' and upload_id is not null
  and job_id = any($3::bigint[])
