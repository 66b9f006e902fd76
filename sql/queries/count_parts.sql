-- Before and after a change of an object's parts. $1 run_id, $2 job_id.
select count(*) filter (where state = 'pending') as pending,
       count(*) filter (where state = 'in_flight') as in_flight
from bucketferry.part where run_id = $1 and job_id = $2
