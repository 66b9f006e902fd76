-- $1 task_id, $2 key, $3 upload id.
delete from bucketferry.upload where task_id = $1 and key = $2 and upload_id = $3
