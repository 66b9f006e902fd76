-- Multipart uploads that are open at a destination or may be, of all generations of a name together.
-- $1 task names. A row for each name that has one.
select t.name as task, count(*) as open_uploads
from bucketferry.upload x join bucketferry.task t using (task_id)
where t.name = any($1::text[])
group by t.name
