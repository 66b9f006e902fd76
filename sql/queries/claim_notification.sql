-- The next thing to tell a target. What comes first in a run is told first, unless it failed before.
-- $1 task names, $2 target, $3 holder, $4 lease in milliseconds. At most one row.
with due as (
  select n.run_id, n.event, n.target from bucketferry.notification n
  where n.state = 'waiting' and n.next_try_at <= clock_timestamp()
    and coalesce(n.leased_until < clock_timestamp(), true)
    and n.task_name = any($1::text[]) and n.target = $2
    and not exists (
      select from bucketferry.notification e
      where e.run_id = n.run_id and e.target = n.target and e.state = 'waiting' and e.tries = 0
        and array_position(array['started', 'ended', 'refreshed'], e.event)
            < array_position(array['started', 'ended', 'refreshed'], n.event))
  order by n.run_id, n.created_at limit 1
  for update skip locked
)
update bucketferry.notification n
set holder = $3, leased_until = clock_timestamp() + $4 * interval '1 millisecond'
from due where (n.run_id, n.event, n.target) = (due.run_id, due.event, due.target)
returning n.run_id, n.event, n.target, n.task_name, n.tries,
          extract(epoch from clock_timestamp() - n.created_at)::float8 as age_seconds
