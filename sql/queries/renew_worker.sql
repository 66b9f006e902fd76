-- No row: the term is over, and nothing of it may be written any more. $1 worker_id, $2 ms.
update bucketferry.worker set leased_until = clock_timestamp() + $2 * interval '1 millisecond'
where worker_id = $1 and released_at is null and leased_until > clock_timestamp()
returning worker_id
