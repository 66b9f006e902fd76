-- Failed attempts: back to waiting, or dead when the object has used up its attempts. An upload stays
-- open for the next attempt or run.
-- One condition in a CASE keeps the planner from the index on what a worker holds: by id, whatever it
-- held before.
-- $1 run_id, $2 worker_id, $3 attempts at most, then arrays: $4 job ids, $5 errors, $6 pauses in ms,
-- $7 whether it was the object's own failure and costs an attempt, $8 whether trying again is futile,
-- $9 the upload whose part failed, or ''. A part speaks for its object only while that goes on through
-- parts of this upload: else parts that fail late would overrule whoever looks at the object anew.
with o as (
  select * from unnest($4::bigint[], $5::text[], $6::bigint[], $7::bool[], $8::bool[], $9::text[])
    as o(job_id, error, pause_ms, costs, futile, upload_id)
), n as (
  select j.job_id, o.error, o.pause_ms, j.attempts + o.costs::int as attempts,
         o.futile or j.attempts + o.costs::int >= $3 as dead
  from o join bucketferry.job j on j.run_id = $1 and j.job_id = o.job_id
  where case when j.state <> 'in_flight' then false
             when o.upload_id = '' then coalesce(j.worker_id = $2, false)
             else j.worker_id is null and j.upload_id = o.upload_id end
  for update of j
)
update bucketferry.job j
set state = case when n.dead then 'dead' else 'retry_wait' end,
    attempts = n.attempts, error = n.error, worker_id = null,
    retry_at = case when not n.dead
                    then clock_timestamp() + n.pause_ms * interval '1 millisecond' end,
    finished_at = case when n.dead then clock_timestamp() end
from n where j.run_id = $1 and j.job_id = n.job_id
returning j.job_id, j.state, j.attempts, j.size_bytes
