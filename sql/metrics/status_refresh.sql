-- What downstream was told, for the status page. $1 task names, $2 whether error texts may be seen.
-- A row for each target that was ever due; due: the last requirement is not acknowledged.
select task_name as task, target, required_run_id as required_run,
       acknowledged_run_id as acknowledged_run, required_seq > acknowledged_seq as due,
       to_char(required_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as required_at,
       to_char(acknowledged_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
         as acknowledged_at,
       outcome, tries,
       to_char(next_try_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as next_try_at,
       case when $2::bool then error end as error
from bucketferry.refresh where task_name = any($1::text[])
order by task_name, target
