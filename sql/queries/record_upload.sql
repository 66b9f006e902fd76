-- The upload is open and belongs to this job. Run after replace_upload.
-- $1 nonce, $2 task_id, $3 key, $4 run_id, $5 job_id, $6 upload id, $7 part_bytes, $8 ETag,
-- $9 time in ms, $10 version, $11 size.
insert into bucketferry.upload as x (nonce, task_id, key, run_id, job_id, upload_id, part_bytes,
  source_etag, source_modified_at, source_version, size_bytes)
values ($1, $2, $3, $4, $5, $6, $7, $8, to_timestamp($9 / 1000.0), $10, $11)
on conflict (nonce) do update
  set run_id = excluded.run_id, job_id = excluded.job_id, upload_id = excluded.upload_id,
      part_bytes = excluded.part_bytes, source_etag = excluded.source_etag,
      source_modified_at = excluded.source_modified_at, source_version = excluded.source_version,
      size_bytes = excluded.size_bytes, abandoned_at = null
