-- $1 task_id, $2 task name, $3 kind, $4 state (planning or skipped), $5 planner, $6 error or null.
insert into bucketferry.run (run_id, task_id, task_name, kind, state, planner_id, finished_at, error)
values (nextval('bucketferry.run_id'), $1, $2, $3, $4, $5,
        case when $4 = 'skipped' then clock_timestamp() end, $6)
returning run_id
