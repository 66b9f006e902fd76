-- The upload is open and belongs to this job. $1 task_id, $2 key, $3 run_id, $4 job_id, $5 upload id,
-- $6 part_bytes, $7 ETag, $8 time in ms, $9 version, $10 size.
update bucketferry.upload
set run_id = $3, job_id = $4, upload_id = $5, part_bytes = $6, source_etag = $7,
    source_modified_at = to_timestamp($8 / 1000.0), source_version = $9,
    size_bytes = $10
where task_id = $1 and key = $2
