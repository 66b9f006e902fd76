-- What claimed deletes may remove, and what the ledger says of it now.
-- $1 run_id, $2 task_id, $3 job ids.
select j.job_id, j.reason = 'extra_foreign' as is_foreign, j.destination_etag,
       j.destination_size_bytes,
       (extract(epoch from j.destination_modified_at) * 1000)::bigint as destination_modified_ms,
       coalesce(l.verdict is null and l.destination_etag = j.destination_etag
                and l.size_bytes = j.destination_size_bytes, false) as in_ledger
from bucketferry.job j
left join bucketferry.ledger l on l.task_id = $2 and l.key = j.key
where j.run_id = $1 and j.job_id = any($3::bigint[]) and j.action = 'delete'
