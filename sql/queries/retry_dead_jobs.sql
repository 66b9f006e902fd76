-- The next dead jobs of a task, in key order, become jobs of a retry. They are those of its latest
-- scheduled run that came to its end, and of every run since: later ones may have ended before they
-- got that far. Each key once, and none of which the ledger has heard since. Keys that the
-- destination cannot hold stay where they are, and so do deletes: only complete listings may decide
-- on those. Which version is copied is seen afresh.
-- It goes on after the last job that the retry has: a second time it adds nothing twice.
-- $1 task_id, $2 the retry's run_id, $3 how many at most. Rows: size.
insert into bucketferry.job (run_id, job_id, key, action, reason, size_bytes, source_etag,
  source_modified_at)
select $2,
       coalesce((select max(n.job_id) from bucketferry.job n where n.run_id = $2), 0)
         + row_number() over (order by d.key),
       d.key, d.action, d.reason, d.size_bytes, d.source_etag, d.source_modified_at
from (
  select distinct on (j.key) j.key, j.action, j.reason, j.size_bytes, j.source_etag,
         j.source_modified_at
  from bucketferry.job j
  where j.run_id = any (array(
          select r.run_id from bucketferry.run r
          where r.task_id = $1 and r.run_id < $2 and r.dead > 0
            and r.run_id >= coalesce((
              select max(b.run_id) from bucketferry.run b
              where b.task_id = $1 and b.run_id < $2 and b.kind = 'scheduled'
                and b.state in ('complete', 'incomplete')), 0)))
    and j.state = 'dead' and j.reason <> 'key_not_allowed' and j.action <> 'delete'
    and j.key > coalesce((select n.key from bucketferry.job n where n.run_id = $2
                          order by n.job_id desc limit 1), '\x')
    and not exists (select from bucketferry.ledger l
                    where l.task_id = $1 and l.key = j.key and l.run_id > j.run_id)
  order by j.key, j.run_id desc limit $3) d
returning size_bytes
