-- Targets for which something waits that may be told now. $1 task names, $2 targets.
select distinct target from bucketferry.notification
where state = 'waiting' and next_try_at <= clock_timestamp()
  and coalesce(leased_until < clock_timestamp(), true)
  and task_name = any($1::text[]) and target = any($2::text[])
