-- What is left of a run. Run it after lock_run, as a statement of its own: its snapshot then sees
-- what others committed before they let go of the lock. $1 run_id.
select pending + in_flight + retry_wait as jobs_left, dead, done, adopted, deleted, pending,
       in_flight, live_workers
from bucketferry.run_total where run_id = $1
