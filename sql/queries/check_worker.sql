-- First statement of each transaction that writes on behalf of a worker: locks the lease against a
-- renewal that comes too late. No row: the term is over. $1 worker_id.
select worker_id from bucketferry.worker
where worker_id = $1 and released_at is null and leased_until > clock_timestamp()
for share
