-- With an acknowledgement: when it was the last that was missing, people are to be told that all of
-- downstream knows of the run. What a run requires while it goes on is not worth telling.
-- $1 task name, $2 its refresh targets, $3 its notify targets.
insert into bucketferry.notification (run_id, event, target, task_name)
select r.run_id, 'refreshed', t.target, r.task_name
from (select max(required_run_id) as run_id from bucketferry.refresh
      where task_name = $1 and target = any($2::text[])
      having bool_and(acknowledged_seq >= required_seq and not interim)) f
join bucketferry.run r using (run_id),
unnest($3::text[]) as t (target)
where r.finished_at is not null
on conflict do nothing
