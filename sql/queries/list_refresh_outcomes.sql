-- What became of a task's refreshes. $1 task name, $2 its targets.
select target, outcome from bucketferry.refresh
where task_name = $1 and target = any($2::text[]) and outcome is not null order by target
