-- $1 run_id, $2 event, $3 target, $4 holder, $5 pause in milliseconds, $6 error; null: it was not
-- tried, it is too early.
update bucketferry.notification
set next_try_at = clock_timestamp() + $5 * interval '1 millisecond',
    tries = tries + ($6::text is not null)::int, error = $6, holder = null, leased_until = null
where run_id = $1 and event = $2 and target = $3 and holder = $4 and state = 'waiting'
