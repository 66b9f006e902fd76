-- What downstream was told. $1 task names. A row for each target that was ever due.
--
-- Acknowledged is the run up to which everything is known downstream. As long as the last requirement
-- is not, it is a run before the one that is required, also when that run required one earlier, and
-- that one is.
select task_name as task, target, required_run_id,
       case when acknowledged_seq >= required_seq then required_run_id
            else least(acknowledged_run_id, required_run_id - 1) end as acknowledged_run_id,
       requests, failures
from bucketferry.refresh where task_name = any($1::text[])
