-- Levels of the runs that are planning or copying, with or without somebody who works on them.
-- $1 task names. A row for each name with such a run. Sums of tallies: jobs are never counted.
--
-- Nothing that waits is older than its run, and looking for the oldest row of millions is not
-- worth the difference: oldest_pending is the start of the oldest run in which something waits.
with open_run as (
  select * from bucketferry.run_total
  where state in ('planning', 'copying') and task_name = any($1::text[])
), worker_count as (  -- one worker may work on runs of two generations
  select o.task_name, count(distinct w.worker_id) as workers
  from open_run o
  join bucketferry.tally y using (run_id)
  join bucketferry.worker w using (worker_id)
  where w.released_at is null and w.leased_until > clock_timestamp()
  group by o.task_name
)
select o.task_name as task, bool_or(o.active) as active,
       sum(o.pending)::bigint as pending, sum(o.in_flight)::bigint as in_flight,
       sum(o.retry_wait)::bigint as retry_wait, sum(o.parts_pending)::bigint as parts_pending,
       sum(o.parts_in_flight)::bigint as parts_in_flight,
       sum(o.bytes_pending)::bigint as pending_bytes,
       sum(o.bytes_in_flight)::bigint as in_flight_bytes,
       extract(epoch from min(o.started_at) filter (where o.pending > 0))::float8 as oldest_pending,
       coalesce(min(c.workers), 0) as workers
from open_run o left join worker_count c using (task_name)
group by o.task_name
