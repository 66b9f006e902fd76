-- Levels of the runs that are planning or copying, with or without somebody who works on them.
-- $1 task names. A row for each name with such a run. Sums of tallies: jobs are never counted.
--
-- Nothing that waits is older than its run, and looking for the oldest row of millions is not
-- worth the difference: oldest_pending is the start of the oldest run in which something waits.
--
-- Of large objects only whole ones are in the tallies. What has come over of those that are not done
-- stands in their rows: what is in flight, or waits, is what is still to be sent. These are few, and
-- have an index of their own. What is neither pending, in flight nor waiting for another try is final.
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
       sum(greatest(o.bytes_pending - u.waiting, 0))::bigint as pending_bytes,
       sum(greatest(o.bytes_in_flight - u.in_flight, 0))::bigint as in_flight_bytes,
       sum(o.planned)::bigint as planned_objects,
       sum(greatest(o.planned - o.pending - o.in_flight - o.retry_wait, 0))::bigint
         as final_objects,
       sum(o.bytes_planned)::bigint as planned_bytes,
       sum(greatest(o.bytes_planned - o.bytes_pending - o.bytes_in_flight + u.in_flight + u.waiting,
                    0))::bigint as final_bytes,
       extract(epoch from min(o.started_at) filter (where o.pending > 0))::float8 as oldest_pending,
       coalesce(min(c.workers), 0) as workers
from open_run o left join worker_count c using (task_name)
cross join lateral (
  select coalesce(sum(x.bytes) filter (where x.state = 'in_flight'), 0) as in_flight,
         coalesce(sum(x.bytes) filter (where x.state = 'retry_wait'), 0) as waiting
  from (select j.state, greatest(j.size_bytes - j.parts_left * j.part_bytes, 0) as bytes
        from bucketferry.job j
        where j.run_id = o.run_id and j.state in ('in_flight', 'retry_wait')
          and j.parts_left is not null) x
) u
group by o.task_name
