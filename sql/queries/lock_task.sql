-- Whoever begins, closes or interrupts a run of a task does it one at a time.
-- $1 name.
select task_id from bucketferry.task where name = $1 order by task_id for update
