-- Dead objects of a run, first 20. $1 run_id.
select key, error from bucketferry.job where run_id = $1 and state = 'dead' order by job_id limit 20
