-- Before Create is sent, so that an upload whose answer is lost leaves a trace.
-- $1 nonce, $2 task_id, $3 key, $4 run_id, $5 job_id, $6 part_bytes, $7 size, $8 ETag, $9 time in ms,
-- $10 version.
insert into bucketferry.upload (nonce, task_id, key, run_id, job_id, part_bytes, size_bytes,
  source_etag, source_modified_at, source_version)
values ($1, $2, $3, $4, $5, $6, $7, $8, to_timestamp($9 / 1000.0), $10)
on conflict (nonce) do nothing
