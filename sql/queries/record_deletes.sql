-- Outcomes of deletes. What is not at the destination any more, the ledger does not know either.
-- $1 run_id, $2 worker_id, $3 task_id, arrays: $4 job ids, $5 why nothing was deleted, or null,
-- $6 whether the object is gone from the destination.
with o as (
  select * from unnest($4::bigint[], $5::text[], $6::bool[]) as o(job_id, reason, gone)
), u as (
  update bucketferry.job j
  set state = case when o.reason is null then 'done' else 'vanished' end,
      proof = case when o.reason is null then 'deleted' end,
      error = o.reason, worker_id = null, finished_at = clock_timestamp()
  from o
  where j.run_id = $1 and j.job_id = o.job_id and j.action = 'delete'
    and j.state = 'in_flight' and j.worker_id = $2
  returning j.job_id, j.key, j.state, o.gone
), l as (
  delete from bucketferry.ledger x using u where x.task_id = $3 and x.key = u.key and u.gone
)
select job_id, state, gone from u
