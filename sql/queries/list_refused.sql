-- Keys that the destination cannot hold, first 20. $1 task_id.
select key from bucketferry.ledger where task_id = $1 and verdict = 'key_refused'
order by key limit 20
