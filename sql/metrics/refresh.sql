-- What downstream was told. No parameters. A row for each task and target that was ever due, also of
-- tasks that are no more: what a target was asked since ever does not shrink with the configuration.
--
-- Acknowledged is the run up to which everything is known downstream. As long as the last requirement
-- is not, it is a run before the one that is required, also when that run required one earlier, and
-- that one is.
select task_name as task, target, required_run_id,
       case when acknowledged_seq >= required_seq then required_run_id
            else least(acknowledged_run_id, required_run_id - 1) end as acknowledged_run_id,
       requests, failures
from bucketferry.refresh
