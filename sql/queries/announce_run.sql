-- People are to be told something of a run, once each.
-- $1 run_id, $2 event, $3 task name, $4 notify targets.
insert into bucketferry.notification (run_id, event, target, task_name)
select r.run_id, $2, t.target, r.task_name
from bucketferry.run r, unnest($4::text[]) as t (target)
where r.run_id = $1 and r.task_name = $3 and r.state <> 'skipped'
on conflict do nothing
