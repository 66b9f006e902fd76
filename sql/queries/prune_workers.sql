-- Workers whose lease ended long ago and that nothing names. $1 how long ago, in ms, $2 how many at
-- most.
with old as (
  select w.worker_id from bucketferry.worker w
  where w.leased_until < statement_timestamp() - $1 * interval '1 millisecond'
    and not exists (select from bucketferry.tally t where t.worker_id = w.worker_id)
    and not exists (select from bucketferry.run r where r.planner_id = w.worker_id)
  order by w.worker_id limit $2
)
delete from bucketferry.worker w using old where w.worker_id = old.worker_id
returning w.worker_id
