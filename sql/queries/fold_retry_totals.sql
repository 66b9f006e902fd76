-- As fold_request_totals. $1 process.
with gone as (
  delete from bucketferry.retry_total where process = $1 and process <> '' returning *
)
insert into bucketferry.retry_total as t (task_name, process, reason, retries)
select task_name, '', reason, retries from gone order by task_name, reason
on conflict (task_name, process, reason) do update set
  retries = t.retries + excluded.retries, updated_at = clock_timestamp()
