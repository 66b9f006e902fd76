-- The row of a configured pair, made if it is new.
-- $1 name, $2 $3 $4 source store, bucket, prefix, $5 $6 $7 destination, $8 refresh targets.
-- One row: task_id.
insert into bucketferry.task as t (name, source_store, source_bucket, source_prefix,
  destination_store, destination_bucket, destination_prefix, refresh_targets)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict on constraint task_is_one_place
  do update set refresh_targets = excluded.refresh_targets
returning t.task_id
