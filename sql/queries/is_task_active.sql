-- Whether somebody works on a run of this task. $1 task name. Apart from list_runs, whose newest
-- rows may all be runs that were skipped because of the one that goes on.
select exists (select from bucketferry.run_total
               where task_name = $1 and state in ('planning', 'copying') and active) as active
