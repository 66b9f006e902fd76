-- Closed runs to which something was added since. $1 how many at most.
select distinct t.run_id
from bucketferry.tally t join bucketferry.run r using (run_id)
where r.finished_at is not null
order by t.run_id limit $1
