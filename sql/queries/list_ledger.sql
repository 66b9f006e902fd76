-- A page of what the destination is known to hold. $1 task_id, $2 after this key, $3 how many.
select l.key, l.size_bytes, l.source_etag, l.source_version, l.destination_etag, l.proof, l.verdict,
       l.run_id,
       to_char(l.recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as recorded_at
from bucketferry.ledger l where l.task_id = $1 and l.key > $2
order by l.key limit $3
