-- $1 task_id, $2 key.
select key, size_bytes, source_etag,
       (date_part('epoch', source_modified_at) * 1000)::bigint as source_modified_ms,
       source_version, coalesce(destination_etag, '') as destination_etag, verdict,
       coalesce(proof = 'trusted', false) as trusted
from bucketferry.ledger where task_id = $1 and key = $2
