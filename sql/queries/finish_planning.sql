-- After the last batch of jobs committed. $1 run_id, $2 what the plan could not do, or null: the run
-- will end incomplete; $3 what it selected, or null: as before. No row: the run is not planning any
-- more.
with r as (
  update bucketferry.run set state = 'copying', planned_at = clock_timestamp(), error = $2
  where run_id = $1 and state = 'planning'
  returning run_id, task_id
), t as (
  update bucketferry.task t set selection = $3 from r
  where t.task_id = r.task_id and $3::text is not null
)
select run_id from r
