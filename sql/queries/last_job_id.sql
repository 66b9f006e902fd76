-- $1 run_id.
select job_id from bucketferry.job where run_id = $1 order by job_id desc limit 1
