-- What is required of targets and not acknowledged, asked for or not.
-- Arrays of one length: $1 task names, $2 targets.
select count(*) as n
from bucketferry.refresh f
join unnest($1::text[], $2::text[]) as c (task_name, target) using (task_name, target)
where f.required_seq > f.acknowledged_seq
