-- Parts of any object of the run, lowest first, so that objects are finished one after another; from
-- a remembered object on, because claimed parts are dead weight to a search. Not of one that somebody
-- looks at anew: it may be gone, or another by now. Looked for only where the tally says that some are
-- pending, and now and then in spite of it.
-- $1 run_id, $2 how many at most, $3 worker_id, $4 from this job_id on.
with next as (
  select p.job_id, p.number from bucketferry.part p
  join bucketferry.job j on j.run_id = p.run_id and j.job_id = p.job_id
                        and coalesce(j.state = 'in_flight' and j.worker_id is null, false)
  where p.run_id = $1 and p.state = 'pending' and p.job_id >= $4
    and ((select sum(t.parts_pending) from bucketferry.tally t where t.run_id = $1) > 0
         or (select random()) < 0.05)
    and exists (select from bucketferry.run r where r.run_id = $1
                and r.state in ('planning', 'copying'))
  order by p.job_id, p.number limit $2
  for update of p skip locked
)
update bucketferry.part p set state = 'in_flight', worker_id = $3
from next join bucketferry.job j on j.run_id = $1 and j.job_id = next.job_id
where p.run_id = $1 and p.job_id = next.job_id and p.number = next.number
returning p.job_id, p.number, p.first_byte, p.size_bytes as part_size_bytes, j.key, j.size_bytes,
          j.source_etag, j.source_version, j.upload_id, j.attempts
