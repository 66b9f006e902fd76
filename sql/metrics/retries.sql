-- What was tried again, since ever. $1 task names. A row for each reason that there ever was.
select task_name as task, reason, sum(retries)::bigint as retries
from bucketferry.retry_total
where task_name = any($1::text[])
group by task_name, reason
