-- Dead objects of the latest closed run of each task, for the status page, to those who may see
-- keys. $1 task names, $2 objects of each. By the index on dead jobs.
select n.task, closed.run_id as run, j.key, j.attempts, j.error
from unnest($1::text[]) with ordinality as n (task, place)
cross join lateral (
  select run_id from bucketferry.run
  where task_name = n.task and finished_at is not null and state <> 'skipped'
  order by run_id desc limit 1) closed
cross join lateral (
  select job_id, key, attempts, error from bucketferry.job
  where run_id = closed.run_id and state = 'dead' order by job_id limit $2) j
order by n.place, j.job_id
