-- What people are still to be told of these runs. $1 run ids, $2 targets.
select count(*) as n from bucketferry.notification
where run_id = any($1::bigint[]) and target = any($2::text[]) and state = 'waiting'
