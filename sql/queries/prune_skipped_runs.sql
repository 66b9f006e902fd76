-- Runs that were only recorded as skipped: one a tick while another goes on. The latest stays.
-- $1 how long they are kept, in ms, $2 how many at most.
with old as (
  select r.run_id from bucketferry.run r
  where r.state = 'skipped'
    and r.finished_at < statement_timestamp() - $1 * interval '1 millisecond'
    and exists (select from bucketferry.run n
                where n.task_name = r.task_name and n.run_id > r.run_id and n.state = 'skipped')
  order by r.finished_at limit $2
)
delete from bucketferry.run r using old where r.run_id = old.run_id
returning r.run_id
