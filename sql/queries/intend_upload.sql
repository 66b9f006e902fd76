-- Before Create is sent, so that an upload whose answer is lost leaves a trace.
-- $1 task_id, $2 key, $3 run_id, $4 job_id, $5 part_bytes, $6 size, $7 ETag, $8 time in ms, $9 version.
insert into bucketferry.upload (task_id, key, run_id, job_id, part_bytes, size_bytes, source_etag,
  source_modified_at, source_version)
values ($1, $2, $3, $4, $5, $6, $7, to_timestamp($8 / 1000.0), $9)
on conflict (task_id, key) do update
  set run_id = excluded.run_id, job_id = excluded.job_id, upload_id = null,
      part_bytes = excluded.part_bytes, size_bytes = excluded.size_bytes,
      source_etag = excluded.source_etag, source_modified_at = excluded.source_modified_at,
      source_version = excluded.source_version, created_at = clock_timestamp()
