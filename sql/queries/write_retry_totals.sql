-- As write_request_totals. $1 process, then arrays of one length: $2 task names, $3 reasons, $4 retries.
insert into bucketferry.retry_total (task_name, process, reason, retries)
select o.task_name, $1, o.reason, o.retries
from unnest($2::text[], $3::text[], $4::bigint[]) as o (task_name, reason, retries)
on conflict (task_name, process, reason) do update set
  retries = excluded.retries, updated_at = clock_timestamp()
