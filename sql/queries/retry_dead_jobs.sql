-- The dead jobs of a closed run become the jobs of a new one. Keys that the destination cannot hold
-- stay where they are, and so do deletes: only complete listings may decide on those. Which version
-- is copied is seen afresh. A second time it adds nothing.
-- $1 new run_id, $2 old run_id. Rows: size.
insert into bucketferry.job (run_id, job_id, key, action, reason, size_bytes, source_etag,
  source_modified_at)
select $1, row_number() over (order by job_id), key, action, reason, size_bytes, source_etag,
       source_modified_at
from bucketferry.job
where run_id = $2 and state = 'dead' and reason <> 'key_not_allowed' and action <> 'delete'
on conflict (run_id, job_id) do nothing
returning size_bytes
