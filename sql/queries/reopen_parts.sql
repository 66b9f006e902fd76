-- Parts that were done, and of which the destination has something else or nothing: they are sent again.
-- The object is locked and waits for them. A part that was copied stays counted as copied.
-- $1 run_id, $2 worker_id that completes the objects, arrays: $3 job ids, $4 numbers.
with held as (
  select job_id from bucketferry.job
  where run_id = $1 and job_id = any($3::bigint[]) and state = 'in_flight' and worker_id = $2
    and parts_left is not null
  order by job_id for update
), u as (
  update bucketferry.part p set state = 'pending', etag = null, md5 = null,
         checksum = null
  from unnest($3::bigint[], $4::int[]) as o(job_id, number) join held using (job_id)
  where p.run_id = $1 and p.job_id = o.job_id and p.number = o.number and p.state = 'done'
  returning p.job_id, p.number
), n as (
  select job_id, count(*)::int as parts from u group by job_id
), j as (
  update bucketferry.job j set parts_left = j.parts_left + n.parts
  from n where j.run_id = $1 and j.job_id = n.job_id
)
select job_id, number from u
