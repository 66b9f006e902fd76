-- They could not be ended now: others first, next time. $1 nonces.
update bucketferry.upload set abandoned_at = clock_timestamp()
where nonce = any($1::text[]) and abandoned_at is not null
