-- Runs that ended long ago. The latest of each kind and state stays, for each generation of a task:
-- metrics, `status` and `retry` read it. Lifetime totals are in the task's row.
-- $1 history in ms, $2 how many at most.
with old as (
  select r.run_id from bucketferry.run r
  where r.state <> 'skipped' and not r.leftovers
    and r.finished_at < statement_timestamp() - $1 * interval '1 millisecond'
    and exists (select from bucketferry.run n
                where n.task_name = r.task_name and n.task_id = r.task_id and n.run_id > r.run_id
                  and n.state = r.state and n.kind = r.kind and n.finished_at is not null)
    and not exists (select from bucketferry.tally t where t.run_id = r.run_id)
  order by r.finished_at limit $2
)
delete from bucketferry.run r using old where r.run_id = old.run_id
returning r.run_id
