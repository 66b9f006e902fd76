-- Parts that lost workers held, as in requeue_jobs. $1 run_id, $2 worker ids.
with held as (
  select h.job_id, h.number
  from unnest($2::bigint[]) as w (worker_id)
  cross join lateral (
    select p.job_id, p.number from bucketferry.part p
    where p.run_id = $1 and p.state = 'in_flight' and p.worker_id = w.worker_id
    for update skip locked
  ) h
  where exists (select from bucketferry.run r where r.run_id = $1 and r.finished_at is null)
)
update bucketferry.part p set state = 'pending', worker_id = null
from held where p.run_id = $1 and p.job_id = held.job_id and p.number = held.number
returning p.job_id
