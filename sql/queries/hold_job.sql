-- Whether a job is still this worker's; locks it. $1 run_id, $2 worker_id, $3 job_id.
select job_id from bucketferry.job
where run_id = $1 and worker_id = $2 and job_id = $3 and state = 'in_flight'
for update
