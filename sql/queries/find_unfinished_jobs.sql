-- Which of these jobs are not final yet. $1 run_id, $2 job ids.
select j.job_id from unnest($2::bigint[]) as x (job_id)
join bucketferry.job j on j.run_id = $1 and j.job_id = x.job_id
where j.state in ('pending', 'in_flight', 'retry_wait')
