-- A notify target was called. $1 target, $2 whether it failed.
insert into bucketferry.notify_total as t (target, requests, failures)
values ($1, 1, $2::bool::int)
on conflict (target) do update
  set requests = t.requests + 1, failures = t.failures + excluded.failures
