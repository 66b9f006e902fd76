-- What workers hold right now in the runs that go on: objects as a whole, and parts of large ones.
-- $1 task names, $2 workers and runs at most, $3 rows counted of each at most, $4 objects shown of
-- each, $5 whether keys may be seen. parts is null for an object that is held as a whole; held: how
-- many objects, or parts, in all.
--
-- By the indexes on what is held, from their young end: at the other one are the dead entries of all
-- that the worker has held before. `between` and `desc` make the planner go that way.
with holder as (
  select distinct y.run_id, y.worker_id
  from bucketferry.run r
  join bucketferry.tally y using (run_id)
  join bucketferry.worker w using (worker_id)
  where r.state in ('planning', 'copying') and r.task_name = any($1::text[])
    and w.released_at is null and w.leased_until > clock_timestamp()
  limit $2
)
select h.worker_id as worker, h.run_id as run, x.job_id as job,
       case when $5::bool then x.key end as key, x.action, x.size_bytes, x.parts, x.bytes_done, x.held
from holder h
cross join lateral (
  (select j.job_id, j.key, j.action, j.size_bytes, null::bigint as parts, null::bigint as bytes_done,
          count(*) over () as held
   from (select o.* from bucketferry.job o
         where o.run_id = h.run_id and o.worker_id between h.worker_id and h.worker_id
           and o.state = 'in_flight'
         order by o.worker_id desc limit $3) j
   order by j.job_id limit $4)
  union all
  (select j.job_id, j.key, j.action, j.size_bytes, p.parts,
          greatest(j.size_bytes - j.parts_left * j.part_bytes, 0), p.held
   from (select q.job_id, count(*) as parts, (sum(count(*)) over ())::bigint as held
         from (select o.job_id from bucketferry.part o
               where o.run_id = h.run_id and o.worker_id between h.worker_id and h.worker_id
                 and o.state = 'in_flight'
               order by o.worker_id desc limit $3) q
         group by q.job_id order by q.job_id limit $4) p
   join bucketferry.job j on j.run_id = h.run_id and j.job_id = p.job_id)
) x
order by h.worker_id, h.run_id, x.job_id
