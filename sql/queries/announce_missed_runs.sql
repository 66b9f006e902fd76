-- With a run that is announced: what no alert told of the task's runs before it, because the next one
-- came too soon or nobody looked. Back to the latest run that was announced; at first nothing.
-- $1 run_id, $2 task name, $3 notify targets.
insert into bucketferry.notification (run_id, event, target, task_name)
select r.run_id, e.event, t.target, r.task_name
from bucketferry.run r, unnest($3::text[]) as t (target),
     unnest(array['started', 'ended']) as e (event)
where r.task_name = $2 and r.run_id < $1 and r.finished_at is not null and r.state <> 'skipped'
  and r.run_id >= (select max(n.run_id) from bucketferry.notification n
                   where n.task_name = $2 and n.target = t.target and n.run_id < $1)
  and not exists (select from bucketferry.notification n
                  where n.run_id = r.run_id and n.target = t.target and n.event = e.event)
on conflict do nothing
