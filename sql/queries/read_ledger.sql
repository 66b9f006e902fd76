-- A page of the ledger, in key order. $1 task_id, $2 after this key, $3 how many.
-- date_part, not extract: a double holds what is whole milliseconds, and numerics cost a quarter of the
-- statement.
select key, size_bytes, source_etag,
       (date_part('epoch', source_modified_at) * 1000)::bigint as source_modified_ms,
       source_version, coalesce(destination_etag, '') as destination_etag, verdict,
       coalesce(proof = 'trusted', false) as trusted
from bucketferry.ledger where task_id = $1 and key > $2
order by key limit $3
