-- What lost workers held waits for another, and costs the object no attempt. What somebody is writing
-- at this moment is left to the next time: a lost worker may be recording its last outcomes, and who
-- takes back must not wait for it while holding what it waits for.
-- Worker by worker, so that the index is asked for each and not read as a whole.
-- $1 run_id, $2 worker ids.
with held as (
  select h.job_id
  from unnest($2::bigint[]) as w (worker_id)
  cross join lateral (
    select j.job_id from bucketferry.job j
    where j.run_id = $1 and j.state = 'in_flight' and j.worker_id = w.worker_id
    for update skip locked
  ) h
  where exists (select from bucketferry.run r where r.run_id = $1 and r.finished_at is null)
)
update bucketferry.job j set state = 'retry_wait', retry_at = clock_timestamp(), worker_id = null
from held where j.run_id = $1 and j.job_id = held.job_id
returning j.job_id, j.size_bytes
