-- What lost workers held waits for another, and costs the object no attempt. What somebody is writing
-- at this moment is left to the next time: a lost worker may be recording its last outcomes, and who
-- takes back must not wait for it while holding what it waits for.
-- Worker by worker, so that the index is asked for each and not read as a whole.
-- Losses count apart from attempts: an object at which $4 workers were lost is dead.
-- $1 run_id, $2 worker ids, $3 whether each was lost, $4 losses at most.
with held as (
  select h.job_id, h.lost + w.lost::int as lost, w.lost and h.lost + 1 >= $4 as dead
  from unnest($2::bigint[], $3::bool[]) as w (worker_id, lost)
  cross join lateral (
    select j.job_id, j.lost from bucketferry.job j
    where j.run_id = $1 and j.state = 'in_flight' and j.worker_id = w.worker_id
    for update skip locked
  ) h
  where exists (select from bucketferry.run r where r.run_id = $1 and r.finished_at is null)
)
update bucketferry.job j
set state = case when held.dead then 'dead' else 'retry_wait' end, worker_id = null,
    lost = held.lost,
    retry_at = case when not held.dead then clock_timestamp() end,
    finished_at = case when held.dead then clock_timestamp() end,
    error = case when held.dead
                 then held.lost || ' workers were lost while they held it; the last error: '
                      || coalesce(j.error, 'none')
                 else j.error end
from held where j.run_id = $1 and j.job_id = held.job_id
returning j.job_id, j.size_bytes, j.state
