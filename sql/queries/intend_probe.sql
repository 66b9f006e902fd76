-- An upload that is begun to see what the destination calls us, and ended at once: abandoned from the
-- start. $1 its nonce, $2 nonce of an upload of the same key.
insert into bucketferry.upload (nonce, task_id, key, run_id, job_id, part_bytes, size_bytes,
  source_etag, source_modified_at, source_version, abandoned_at)
select $1, task_id, key, run_id, job_id, part_bytes, size_bytes, source_etag, source_modified_at,
       source_version, clock_timestamp()
from bucketferry.upload where nonce = $2
on conflict (nonce) do nothing
returning nonce
