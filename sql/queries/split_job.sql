-- The object goes on through its parts, which any worker may claim.
-- $1 run_id, $2 worker_id, $3 job_id, $4 upload id, $5 part_bytes, $6 parts left,
-- and the source as it was examined: $7 ETag, $8 time in ms, $9 version.
update bucketferry.job
set worker_id = null, upload_id = $4, part_bytes = $5, parts_left = $6,
    source_etag = $7, source_modified_at = to_timestamp($8 / 1000.0), source_version = $9
where run_id = $1 and worker_id = $2 and job_id = $3 and state = 'in_flight'
returning job_id
