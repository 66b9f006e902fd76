-- A page of the history of objects, newest first. $1 task names, $2 run or null, $3 state or null,
-- $4 $5 below this run and job, $6 how many.
select task, run, job, key, action, reason, state, attempts, error, size_bytes, source_etag,
       destination_etag, proof,
       to_char(planned_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as planned_at,
       to_char(finished_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as finished_at
from bucketferry.object_history
where task = any($1::text[]) and ($2::bigint is null or run = $2)
  and ($3::text is null or state = $3) and (run, job) < ($4::bigint, $5::bigint)
order by run desc, job desc limit $6
