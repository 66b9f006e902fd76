-- What runs of events deleted since the last run of the schedule that was planned to its end.
-- By the index on (task_name, run_id). $1 task_id. Of runs that are closed: no other is open.
select coalesce(sum(r.deleted), 0)::bigint as deleted
from bucketferry.run r
join bucketferry.task t on t.task_id = $1 and t.name = r.task_name
where r.task_id = $1 and r.kind = 'event' and r.finished_at is not null
  and r.run_id > coalesce((
    select s.run_id from bucketferry.run s
    where s.task_name = t.name and s.task_id = $1 and s.kind = 'scheduled'
      and s.planned_at is not null
    order by s.run_id desc limit 1), 0)
