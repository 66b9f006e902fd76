-- The planner goes on under its process's next term. No row: the run was closed meanwhile.
-- $1 run_id, $2 the worker it was, $3 the worker it is.
update bucketferry.run set planner_id = $3
where run_id = $1 and state = 'planning' and planner_id in ($2, $3)
returning run_id
