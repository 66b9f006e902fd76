-- Keys that were looked at, and that nobody told of again since they were read. Locked in the order in
-- which they are told of. $1 task name, $2 keys, $3 their numbers.
with seen as (
  select e.task, e.key from bucketferry.event e
  join unnest($2::bytea[], $3::bigint[]) as x (key, number) on e.key = x.key and e.number = x.number
  where e.task = $1
  order by e.task, e.key for update of e
)
delete from bucketferry.event e using seen where e.task = seen.task and e.key = seen.key
