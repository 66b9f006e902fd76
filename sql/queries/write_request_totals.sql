-- What a process counted since it started, in the place of what it wrote before: writing it twice is
-- writing it once.
-- $1 process, then arrays of one length: $2 task names, $3 sides, $4 operations, $5 requests,
-- $6 errors, $7 microseconds, $8 buckets, each as the text of an array.
insert into bucketferry.request_total
  (task_name, process, side, operation, requests, errors, microseconds, buckets)
select o.task_name, $1, o.side, o.operation, o.requests, o.errors, o.microseconds,
       o.buckets::bigint[]
from unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[])
  as o (task_name, side, operation, requests, errors, microseconds, buckets)
on conflict (task_name, process, side, operation) do update set
  requests = excluded.requests, errors = excluded.errors, microseconds = excluded.microseconds,
  buckets = excluded.buckets, updated_at = clock_timestamp()
