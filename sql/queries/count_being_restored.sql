-- $1 task_id.
select count(*) as objects from bucketferry.being_restored where task_id = $1
