-- What people were told. $1 names of targets. A row for each that was ever called.
select target, requests, failures
from bucketferry.notify_total
where target = any($1::text[])
