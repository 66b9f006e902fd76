-- How many dead objects a retry leaves alone (see retry_dead_jobs): deletes, keys that the
-- destination cannot hold (a standing verdict has no row in later runs), and what was pruned.
-- $1 task_id, $2 the retry's run_id. One row: dead.
with base as (
  select run_id, dead from bucketferry.run
  where task_id = $1 and run_id < $2 and kind = 'scheduled' and state in ('complete', 'incomplete')
  order by run_id desc limit 1
), retried as (
  select count(*) as jobs from bucketferry.job j
  where j.run_id = (select run_id from base) and j.state = 'dead'
    and j.reason <> 'key_not_allowed' and j.action <> 'delete'
), since as (
  select count(distinct j.key) as keys from bucketferry.job j
  where j.run_id = any (array(
          select r.run_id from bucketferry.run r
          where r.task_id = $1 and r.run_id < $2 and r.dead > 0
            and r.run_id > coalesce((select run_id from base), 0)))
    and j.state = 'dead' and (j.reason = 'key_not_allowed' or j.action = 'delete')
    and not exists (select from bucketferry.job b
                    where b.run_id = (select run_id from base) and b.state = 'dead'
                      and b.key = j.key)
)
select greatest(coalesce((select dead from base), 0) - retried.jobs, 0) + since.keys as dead
from retried, since
