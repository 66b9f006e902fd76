-- Adds the rows of a process that is no more to those of process '', and removes them. A second time
-- there are none: nothing is counted twice. In the order of the key, so that two that do it for two
-- processes do not wait for each other.
-- $1 process.
with gone as (
  delete from bucketferry.request_total where process = $1 and process <> '' returning *
)
insert into bucketferry.request_total as t
  (task_name, process, side, operation, requests, errors, microseconds, buckets)
select task_name, '', side, operation, requests, errors, microseconds, buckets
from gone order by task_name, side, operation
on conflict (task_name, process, side, operation) do update set
  requests = t.requests + excluded.requests, errors = t.errors + excluded.errors,
  microseconds = t.microseconds + excluded.microseconds,
  buckets = (select array_agg(coalesce(b.kept, 0) + coalesce(b.gone, 0) order by b.place)
             from unnest(t.buckets, excluded.buckets) with ordinality as b (kept, gone, place)),
  updated_at = clock_timestamp()
