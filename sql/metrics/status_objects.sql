-- A page of the objects of a run in one final state, as they were planned, for the status page.
-- $1 run_id, $2 state (dead or vanished), $3 above this job id, $4 rows looked at, at most, $5 rows
-- returned, at most, $6 bytes that the key must have, $7 text that the error may have instead, whatever
-- its case. Both empty: all. By the indexes on these states; a search goes on where the last one ended.
--
-- A row without an object comes last: looked_at, and next: where to go on, null at the end.
with seen as materialized (
  select job_id, key, action, reason, size_bytes, attempts, error, finished_at
  from bucketferry.job
  where run_id = $1 and state = $2 and job_id > $3
  order by job_id limit $4
), found as materialized (
  select * from seen
  where position($6::bytea in key) > 0 or (error is not null and strpos(lower(error), lower($7::text)) > 0)
  order by job_id limit $5
)
select job_id as job, key, action, reason, size_bytes, attempts, error,
       to_char(finished_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as finished_at,
       null::bigint as looked_at, null::bigint as next
from found
union all
select null, null, null, null, null, null, null, null, (select count(*) from seen),
       case when (select count(*) from found) >= $5 then (select max(job_id) from found)
            when (select count(*) from seen) >= $4 then (select max(job_id) from seen) end
order by job nulls last
