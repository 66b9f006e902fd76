-- All uploads of some keys, also intended and abandoned ones. $1 task_id, $2 keys.
select nonce, key, run_id, job_id, upload_id, part_bytes, size_bytes, source_etag,
       (extract(epoch from source_modified_at) * 1000)::bigint as source_modified_ms,
       source_version, abandoned_at is not null as abandoned,
       (extract(epoch from clock_timestamp() - created_at) * 1000)::bigint as age_ms
from bucketferry.upload where task_id = $1 and key = any($2::bytea[])
order by created_at
