-- $1 run_id, $2 event, $3 target, $4 holder, $5 state, $6 error or null.
update bucketferry.notification
set state = $5, error = $6, finished_at = clock_timestamp(), tries = tries + 1, holder = null,
    leased_until = null
where run_id = $1 and event = $2 and target = $3 and holder = $4 and state = 'waiting'
