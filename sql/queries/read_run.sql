-- How a run stands. bytes_under_way is what has come over of objects in parts that are not done yet: of
-- a large one nothing else tells how far it is. By the index on jobs in parts.
-- $1 run_id.
select t.run_id, t.state, source_objects, planned, pending, in_flight, retry_wait, done, adopted,
       deleted, dead, vanished, archived, bytes_planned, bytes_done, source_bytes_read, retries,
       error, live_workers, coalesce(u.bytes, 0) as bytes_under_way,
       extract(epoch from coalesce(finished_at, clock_timestamp()) - started_at)::float8
         as seconds
from bucketferry.run_total t
left join lateral (
  select sum(greatest(j.size_bytes - j.parts_left * j.part_bytes, 0))::bigint as bytes
  from bucketferry.job j
  where j.run_id = t.run_id and t.state in ('planning', 'copying')
    and j.state in ('in_flight', 'retry_wait') and j.parts_left is not null
) u on true
where t.run_id = $1
