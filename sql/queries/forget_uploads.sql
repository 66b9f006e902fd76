-- They are no more at the store, or never were. $1 nonces.
delete from bucketferry.upload where nonce = any($1::text[])
