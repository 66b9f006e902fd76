-- An upload that is no more: its parts are worth nothing. $1 run_id, $2 job_id.
delete from bucketferry.part where run_id = $1 and job_id = $2
returning state
