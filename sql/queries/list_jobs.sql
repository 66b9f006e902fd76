-- A page of the history of objects, newest first. $1 task names, $2 run or null, $3 state or null,
-- $4 $5 below this run and job, $6 how many. What a closed run left undone is nobody's.
--
-- Run by run, at most a page of each: sorting by (run, job) over the join of the view reads all
-- jobs of other tasks, and of all newer pages, for every page (305,000 jobs in 306 pages: 14 s, so
-- 3 s). coalesce() hides from the planner how rare a state is: it would read a whole partition for
-- each of its 256 runs (3,000 runs without a match: 3.5 s).
select r.task_name as task, r.run_id as run, j.job_id as job, j.key, j.action, j.reason, j.state,
       j.attempts, j.error, j.size_bytes, j.source_etag, j.source_version,
       j.destination_etag, j.proof,
       to_char(j.planned_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as planned_at,
       to_char(j.finished_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as finished_at
from bucketferry.run r
cross join lateral (
  select * from bucketferry.job o
  where o.run_id = r.run_id
    and o.job_id < case when r.run_id = $4::bigint then $5::bigint else 9223372036854775807 end
    and coalesce(o.state = $3::text, true)
    and (r.finished_at is null or o.state in ('done', 'dead', 'vanished', 'archived'))
  order by o.job_id desc limit $6
) j
where r.task_name = any($1::text[]) and ($2::bigint is null or r.run_id = $2)
  and r.run_id <= $4::bigint
order by r.run_id desc, j.job_id desc limit $6
