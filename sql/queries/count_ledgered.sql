-- How many objects the destination is known to hold, as far as it matters: $2 at most. $1 task_id.
select count(*) as objects from (
  select from bucketferry.ledger where task_id = $1 and verdict is null limit $2) x
