-- Closed runs with jobs that nobody will do, oldest first, 10 at most; and their highest job_id.
select r.run_id,
       coalesce((select max(j.job_id) from bucketferry.job j where j.run_id = r.run_id), 0) as last_job
from bucketferry.run r where r.leftovers
order by r.run_id limit 10
