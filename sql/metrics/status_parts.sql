-- How far inside large objects the runs that go on are: bytes of parts that are at the destination,
-- of objects that are not complete yet. $1 task names. A row for each run with an open upload.
--
-- From the uploads, which are few, to their objects by key: the index on what is in flight is full of
-- dead entries of a million small objects. The last part may be smaller than the others; at worst the
-- sum is short of one part an object.
select r.run_id as run,
       sum(greatest(j.size_bytes - j.parts_left * j.part_bytes, 0))::bigint as bytes
from bucketferry.run r
join bucketferry.upload u on u.run_id = r.run_id and u.upload_id is not null
                         and u.abandoned_at is null
join bucketferry.job j on j.run_id = u.run_id and j.job_id = u.job_id and j.upload_id = u.upload_id
where r.state in ('planning', 'copying') and r.task_name = any($1::text[])
  and j.state in ('in_flight', 'retry_wait')
group by r.run_id
