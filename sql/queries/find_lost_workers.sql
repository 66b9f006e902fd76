-- Workers that worked on an open run and whose lease is over; `lost`: it ran out, and was not given
-- back. One that is not known any more is over as well. $1 run_id.
select distinct t.worker_id, w.released_at is null as lost
from bucketferry.tally t left join bucketferry.worker w using (worker_id)
where t.run_id = $1
  and (w.worker_id is null or w.released_at is not null or w.leased_until <= clock_timestamp())
