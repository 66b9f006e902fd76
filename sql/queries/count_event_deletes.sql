-- What runs of events deleted since the last run of the schedule that was planned to its end.
-- $1 task_id. Of runs that are closed: no other is open.
select coalesce(sum(r.deleted), 0)::bigint as deleted
from bucketferry.run r
where r.task_id = $1 and r.kind = 'event' and r.finished_at is not null
  and r.run_id > coalesce((
    select max(s.run_id) from bucketferry.run s
    where s.task_id = $1 and s.kind = 'scheduled' and s.planned_at is not null), 0)
