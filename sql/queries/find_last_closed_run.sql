-- $1 task_id. The latest closed run that planned (not one that was skipped).
select run_id, task_id, state from bucketferry.run
where task_id = $1 and state in ('complete', 'incomplete', 'failed', 'interrupted')
  and finished_at is not null
order by run_id desc limit 1
