-- Open uploads of some keys. $1 task_id, $2 keys.
select key, run_id, job_id, upload_id, part_bytes, size_bytes, source_etag,
       (extract(epoch from source_modified_at) * 1000)::bigint as source_modified_ms,
       source_version
from bucketferry.upload where task_id = $1 and key = any($2::bytea[])
