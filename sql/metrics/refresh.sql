-- What downstream was told. $1 task names. A row for each target that was ever due.
select task_name as task, target, required_run_id, acknowledged_run_id, requests, failures
from bucketferry.refresh where task_name = any($1::text[])
