-- The destination is not what it was, whoever counted it: whoever is downstream must look. After the
-- run was closed, the next close says so.
-- Run after lock_run. $1 run_id.
with r as (
  update bucketferry.run set changed_destination = true
  where run_id = $1 and (not changed_destination or finished_at is not null)
  returning task_name, finished_at
)
update bucketferry.refresh f set changed_late = true
from r where f.task_name = r.task_name and r.finished_at is not null
