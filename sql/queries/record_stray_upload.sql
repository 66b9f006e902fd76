-- An upload whose job went to somebody else meanwhile: it is known, and nobody goes on with it. What
-- is recorded already stays as it is. $1 nonce, $2 upload id.
update bucketferry.upload set upload_id = $2, abandoned_at = clock_timestamp()
where nonce = $1 and upload_id is null
