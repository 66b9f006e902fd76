-- Keys that wait as events, by the names of tasks. $1 task names. A row for each name with such keys.
-- They are few: a planner takes them within seconds.
select task, count(*) as keys, extract(epoch from min(told_at))::float8 as oldest
from bucketferry.event where task = any($1::text[])
group by task
