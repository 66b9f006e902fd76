-- $1 run_id, $2 worker ids.
update bucketferry.part set state = 'pending', worker_id = null
where run_id = $1 and state = 'in_flight' and worker_id = any($2::bigint[])
  and exists (select from bucketferry.run r where r.run_id = $1 and r.finished_at is null)
returning number
