-- What is known of tasks beside their latest runs, over all generations of a name. $1 task names.
-- A row for each name. Times also as seconds ago: by the database's clock, as all that is judged.
--
-- succeeded: a scheduled run that closed complete, as in last_runs. known: since when there is a task
-- of the name.
select n.task,
       to_char(s.finished_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as succeeded_at,
       to_char(t.skipped_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as skipped_at,
       extract(epoch from clock_timestamp() - coalesce(s.finished_at, t.created_at))::float8
         as seconds_without_success
from unnest($1::text[]) with ordinality as n (task, place)
left join lateral (
  select min(created_at) as created_at, max(skipped_at) as skipped_at
  from bucketferry.task where name = n.task) t on true
left join lateral (
  select finished_at from bucketferry.run
  where task_name = n.task and state = 'complete' and kind = 'scheduled'
  order by run_id desc limit 1) s on true
order by n.place
