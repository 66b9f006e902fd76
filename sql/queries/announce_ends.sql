-- Whoever was told that a run started is told how it ended, whoever closed it: a run that was
-- interrupted is closed by the next one, and no alert tells of it. $1 task names, $2 targets.
insert into bucketferry.notification (run_id, event, target, task_name)
select s.run_id, 'ended', s.target, s.task_name
from bucketferry.notification s join bucketferry.run r using (run_id)
where s.event = 'started' and s.state <> 'dropped' and s.task_name = any($1::text[])
  and s.target = any($2::text[]) and r.finished_at is not null
  and not exists (select from bucketferry.notification e
                  where e.run_id = s.run_id and e.event = 'ended' and e.target = s.target)
on conflict do nothing
