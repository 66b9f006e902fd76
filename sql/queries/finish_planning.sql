-- After the last batch of jobs committed. $1 run_id. No row: the run is not planning any more.
update bucketferry.run set state = 'copying', planned_at = clock_timestamp()
where run_id = $1 and state = 'planning'
returning run_id
