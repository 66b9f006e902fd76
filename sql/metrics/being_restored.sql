-- Archived objects whose restoring was asked for, of all generations of a name together. By the index on
-- them. $1 task names. A row for each name that has one.
select t.name as task, count(*) as objects
from bucketferry.being_restored r join bucketferry.task t using (task_id)
where t.name = any($1::text[])
group by t.name
