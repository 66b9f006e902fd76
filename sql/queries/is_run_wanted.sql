-- Whether a run waits for the run of events of its task to end. $1 task name.
select coalesce(bool_or(run_wanted_until > clock_timestamp()), false) as wanted
from bucketferry.task where name = $1
