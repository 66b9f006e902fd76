-- Workers that worked on an open run and whose lease is over; `lost`: it ran out, and was not given
-- back. $1 run_id.
select distinct w.worker_id, w.released_at is null as lost
from bucketferry.tally t join bucketferry.worker w using (worker_id)
where t.run_id = $1 and (w.released_at is not null or w.leased_until <= clock_timestamp())
