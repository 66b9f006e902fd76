-- What people were not told: notifications that wait, and those given up of some runs. $1 task names,
-- $2 run ids, $3 rows of each kind at most, $4 whether error texts may be seen.
select task_name as task, run_id as run, event, target, state,
       to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as created_at,
       tries,
       to_char(next_try_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as next_try_at,
       case when $4::bool then error end as error
from (
  (select * from bucketferry.notification
   where state = 'waiting' and task_name = any($1::text[]) order by next_try_at limit $3)
  union all
  (select * from bucketferry.notification
   where run_id = any($2::bigint[]) and state = 'given_up' order by run_id desc limit $3)
) n
order by run_id desc, event, target
