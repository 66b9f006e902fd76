-- The object goes on through its parts, which any worker may claim. Run after insert_parts.
-- $1 run_id, $2 worker_id, $3 job_id, $4 upload id, $5 part_bytes,
-- and the source as it was examined: $6 ETag, $7 time in ms, $8 version, $9 size.
update bucketferry.job
set worker_id = null, upload_id = $4, part_bytes = $5,
    parts_left = (select count(*) from bucketferry.part p
                  where p.run_id = $1 and p.job_id = $3 and p.state <> 'done'),
    source_etag = $6, source_modified_at = to_timestamp($7 / 1000.0), source_version = $8, size_bytes = $9
where run_id = $1 and worker_id = $2 and job_id = $3 and state = 'in_flight'
returning job_id
