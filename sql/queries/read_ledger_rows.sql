-- What the ledger knows of these keys; as read_ledger. $1 task_id, $2 keys.
select l.key, size_bytes, source_etag,
       (date_part('epoch', source_modified_at) * 1000)::bigint as source_modified_ms,
       source_version, coalesce(destination_etag, '') as destination_etag, verdict,
       coalesce(proof = 'trusted', false) as trusted
from unnest($2::bytea[]) as x (key)
join bucketferry.ledger l on l.task_id = $1 and l.key = x.key
