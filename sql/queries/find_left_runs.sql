-- Closed runs with jobs that nobody will do, and their highest job_id; 10 at most, the longest not
-- looked at first: what somebody keeps in his hands keeps no later run waiting.
select r.run_id,
       coalesce((select max(j.job_id) from bucketferry.job j where j.run_id = r.run_id), 0) as last_job
from bucketferry.run r where r.leftovers
order by r.left_seen_at nulls first, r.run_id limit 10
