-- The resume point of an upload. $1 run_id, $2 job_id.
select number, etag, md5, size_bytes, coalesce(checksum, '') as checksum from bucketferry.part
where run_id = $1 and job_id = $2 and state = 'done' order by number
