-- The row of a configured pair, if there is one. Parameters as in ensure_task, without the targets.
select task_id from bucketferry.task
where name = $1 and source_store = $2 and source_bucket = $3 and source_prefix = $4
  and destination_store = $5 and destination_bucket = $6 and destination_prefix = $7
