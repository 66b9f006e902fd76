-- It cannot become the object. $1 task_id, $2 key, $3 upload id.
update bucketferry.upload set abandoned_at = clock_timestamp()
where task_id = $1 and key = $2 and upload_id = $3 and abandoned_at is null
