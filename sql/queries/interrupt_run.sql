-- After lock_run, when nobody with a lease works on it. $1 run_id.
update bucketferry.run set state = 'interrupted'
where run_id = $1 and state in ('planning', 'copying')
