-- An upload whose job went to somebody else meanwhile: it is known, and nobody goes on with it. What
-- is recorded already stays as it is; an intent that was taken for settled comes back.
-- $1 nonce, $2 task_id, $3 key, $4 run_id, $5 job_id, $6 upload id, $7 part_bytes, $8 ETag,
-- $9 time in ms, $10 version, $11 size.
insert into bucketferry.upload as x (nonce, task_id, key, run_id, job_id, upload_id, part_bytes,
  source_etag, source_modified_at, source_version, size_bytes, abandoned_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, to_timestamp($9 / 1000.0), $10, $11, clock_timestamp())
on conflict (nonce) do update
  set upload_id = excluded.upload_id, abandoned_at = excluded.abandoned_at
  where x.upload_id is null
