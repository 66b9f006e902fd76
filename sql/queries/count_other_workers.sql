-- Who else with a lease works on a run, or plans it. Run it after lock_run. $1 run_id, $2 worker_id.
select count(distinct t.worker_id) as workers
from bucketferry.tally t join bucketferry.worker w on w.worker_id = t.worker_id
where t.run_id = $1 and t.worker_id <> $2 and w.released_at is null
  and w.leased_until > clock_timestamp()
