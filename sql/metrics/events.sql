-- Keys that wait as events, by the names of tasks. $1 task names. A row for each name with such keys.
-- A planner takes them within seconds, unless another run of the task goes on: up to a million are
-- counted. The first in the order of their telling is as good as the oldest.
select n.task, e.keys, e.oldest
from unnest($1::text[]) as n (task)
cross join lateral (
  select count(*) as keys, extract(epoch from min(w.told_at))::float8 as oldest
  from (select told_at from bucketferry.event
        where task = n.task order by number limit 1000000) w) e
where e.keys > 0
