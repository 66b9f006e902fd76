-- $1 worker_id.
update bucketferry.worker set released_at = clock_timestamp(), leased_until = clock_timestamp()
where worker_id = $1 and released_at is null
