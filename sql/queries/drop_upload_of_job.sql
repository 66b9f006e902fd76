-- Start over: the upload is gone or belongs to other bytes. $1 run_id, $2 worker_id, $3 job_id.
update bucketferry.job set upload_id = null, part_bytes = null, parts_left = null
where run_id = $1 and worker_id = $2 and job_id = $3 and state = 'in_flight'
returning job_id
