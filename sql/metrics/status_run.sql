-- The run that objects are asked of. $1 task name, $2 run_id, or null: the latest closed one.
-- No row: there is none.
select run_id as run from bucketferry.run
where task_name = $1 and state <> 'skipped'
  and case when $2::bigint is null then finished_at is not null else run_id = $2 end
order by run_id desc limit 1
